//! A server inside, asked from outside.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use titan_sandbox::{Command, Exit, Inbound};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::kit::{Kind, Kit, eventually};

/// Answers each connection with what it said, in capitals, and its own number.
const SERVER: &str = r#"
use strict; use IO::Socket::INET;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => 8000, Listen => 64, ReuseAddr => 1) or die $!;
$SIG{CHLD} = "IGNORE";
while (my $client = $server->accept) {
    next if fork;
    while (my $line = <$client>) { print $client uc $line }
    exit;
}"#;

fn serving(kit: &Kit) -> (Command, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let mut command = kit.bash("exec perl -e \"$SERVER\"");
    command.env.insert("SERVER".to_owned(), SERVER.to_owned());
    command.inbound = Some(Inbound { port: 8000, listener: Arc::new(listener) });
    (command, port)
}

/// What comes back for a line, if anything does.
fn ask(port: u16, line: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(line.as_bytes()).ok()?;
    stream.shutdown(std::net::Shutdown::Write).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_inside_answers_whoever_asks_outside() {
    for kind in [Kind::Bubblewrap, Kind::BubblewrapAsOwner] {
        let kit = Kit::new(kind).await;
        let (command, port) = serving(&kit);
        let cancel = CancellationToken::new();
        let asks = async {
            // Until it is up, connections close without a word.
            eventually("an answer", Duration::from_secs(20), || ask(port, "up\n").as_deref() == Some("UP\n")).await;
            // More than are held ready, of different sizes.
            let mut clients = JoinSet::new();
            for number in 0..100 {
                clients.spawn_blocking(move || {
                    let line = format!("{}{number}\n", "x".repeat(number * 100));
                    assert_eq!(ask(port, &line), Some(line.to_uppercase()), "{number}");
                });
            }
            while let Some(done) = clients.join_next().await {
                done.expect("each is answered");
            }
            cancel.cancel();
        };
        let (done, ()) = tokio::join!(kit.run_until(command, cancel.clone()), asks);
        assert_eq!(done.expect("it ran").ended.exit, Exit::Canceled);
        assert_eq!(ask(port, "still?\n"), None, "nobody listens any more");
    }
}

#[tokio::test]
async fn without_namespaces_there_is_no_way_in() {
    let kit = Kit::new(Kind::Landlock).await;
    let (command, _) = serving(&kit);
    let refused = kit.run(command).await.expect_err("it is refused").to_string();
    assert!(refused.contains("a network needs bubblewrap"), "{refused}");
}
