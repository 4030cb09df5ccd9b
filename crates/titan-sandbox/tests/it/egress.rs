//! The one way out: what a rule names is reached, and nothing else, by whatever name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use titan_sandbox::egress::{Resolve, Way};
use titan_sandbox::{Error, Event, Network};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::kit::{Done, Kind, Kit};

/// Speaks to the proxy as any client does, and says what came back.
const CLIENT: &str = r#"
use IO::Socket::INET;
my ($host) = $ENV{http_proxy} =~ m{^http://(.*)$} or die "no proxy is set";
for my $request (@ARGV) {
    my $s = IO::Socket::INET->new(PeerAddr => $host, Timeout => 5) or die "no proxy: $!";
    $request =~ s/\\n/\r\n/g;
    print $s $request;
    my $all = do { local $/; <$s> } // "nothing";
    $all =~ s/\r\n/|/g;
    print "$all\n";
}
"#;

/// A server outside that answers every request, and counts.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("its address");
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(client));
            }
        });
        Self { address, requests }
    }

    fn was_asked(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Says which lines it got.
async fn answer(client: TcpStream) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? <= 2 {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let body = format!("got {}", lines.join(", "));
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

async fn ask(kit: &Kit, rules: &[String], requests: &[String]) -> Done {
    kit.put("client.pl", CLIENT);
    let mut command = kit.bash(r#"perl client.pl "$@""#);
    command.args.push("client".to_owned());
    command.args.extend(requests.iter().cloned());
    command.network = Network::Allow(rules.iter().map(|rule| rule.parse().expect("a rule")).collect());
    kit.run(command).await.expect("it runs")
}

fn refusals(done: &Done) -> Vec<(String, String)> {
    let refused = done.events.iter().filter_map(|event| match event {
        Event::Refused { target, reason } => Some((target.clone(), reason.clone())),
        _ => None,
    });
    refused.collect()
}

#[tokio::test]
async fn what_a_rule_names_is_reached() {
    for kind in [Kind::Bubblewrap, Kind::BubblewrapAsOwner] {
        let kit = Kit::new(kind).await;
        let server = Server::start().await;
        let at = server.address;
        let requests = [
            format!("GET http://{at}/a?b HTTP/1.1\\nAccept: x\\n\\n"),
            format!("CONNECT {at} HTTP/1.1\\n\\nGET /in HTTP/1.1\\n\\n"),
        ];
        let done = ask(&kit, &[at.to_string()], &requests).await;
        let said = done.stdout().replace(&at.to_string(), "[server]");
        insta::allow_duplicates! { insta::assert_snapshot!("what_a_rule_names_is_reached", said); }
        assert_eq!((server.was_asked(), refusals(&done)), (2, vec![]), "{}", done.words());
    }
}

/// The variables that are set are those that ordinary tools look at.
#[tokio::test]
async fn ordinary_tools_find_the_way() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let server = Server::start().await;
    let mut command = kit.bash(
        r#"tried=0
           if command -v curl >/dev/null; then tried=1; curl -sS -m 10 --noproxy '' "http://$AT/curl" >/dev/null && echo reached; fi
           if command -v wget >/dev/null; then tried=1; no_proxy= wget -q -T 10 -O- "http://$AT/wget" >/dev/null && echo reached; fi
           [ -x /usr/bin/python3 ] && { tried=1; no_proxy= /usr/bin/python3 -c 'import os,urllib.request as u; u.urlopen("http://%s/python" % os.environ["AT"], timeout=10)' && echo reached; }
           echo tried $tried"#,
    );
    command.env.insert("AT".to_owned(), server.address.to_string());
    command.network = Network::Allow(vec![server.address.to_string().parse().expect("a rule")]);
    let done = kit.run(command).await.expect("it runs");
    let reached = done.stdout().lines().filter(|line| *line == "reached").count();
    assert!(done.stdout().ends_with("tried 1\n") && reached > 0, "{}", done.words());
    assert_eq!(server.was_asked(), reached, "{}", done.words());
}

#[tokio::test]
async fn what_no_rule_names_is_refused_and_told() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let (allowed, other) = (Server::start().await, Server::start().await);
    let port = other.address.port();
    let requests: Vec<String> = [
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1\\n\\n"),
        format!("CONNECT 127.0.0.1:{port} HTTP/1.1\\n\\n"),
        format!("CONNECT [::ffff:127.0.0.1]:{} HTTP/1.1\\n\\n", allowed.address.port()),
        format!("CONNECT localhost:{} HTTP/1.1\\n\\n", allowed.address.port()),
        format!("CONNECT 0177.0.0.1:{} HTTP/1.1\\n\\n", allowed.address.port()),
        format!("CONNECT 2130706433:{} HTTP/1.1\\n\\n", allowed.address.port()),
        format!("CONNECT 0x7f.1:{} HTTP/1.1\\n\\n", allowed.address.port()),
        "CONNECT 169.254.169.254:80 HTTP/1.1\\n\\n".to_owned(),
        format!("GET http://allowed@127.0.0.1:{port}/ HTTP/1.1\\n\\n"),
        format!("GET / HTTP/1.1\\nHost: 127.0.0.1:{}\\n\\n", allowed.address.port()),
    ]
    .into();
    let done = ask(&kit, &[allowed.address.to_string()], &requests).await;
    let statuses: Vec<String> =
        done.stdout().lines().filter(|line| !line.is_empty()).map(|line| line.chars().take(12).collect()).collect();
    assert_eq!(statuses.len(), requests.len(), "{}", done.words());
    assert!(statuses.iter().all(|status| status.starts_with("HTTP/1.1 40")), "{statuses:?}");
    assert_eq!(refusals(&done).len(), requests.len());
    assert_eq!(refusals(&done)[0], (format!("127.0.0.1:{port}"), "it is not among the allowed targets".to_owned()));
    assert_eq!((allowed.was_asked(), other.was_asked()), (0, 0));
}

/// Without the proxy there is no way at all: it is not a matter of good manners.
#[tokio::test]
async fn around_the_proxy_there_is_nothing() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let server = Server::start().await;
    let mut command = kit.bash(&format!(
        "(exec 3<>/dev/tcp/127.0.0.1/{}) 2>/dev/null && echo reached; echo finished",
        server.address.port()
    ));
    command.network = Network::Allow(vec![server.address.to_string().parse().expect("a rule")]);
    let done = kit.run(command).await.expect("it runs");
    assert_eq!((done.stdout().as_str(), server.was_asked()), ("finished\n", 0));
}

/// Answers from a list, one set of addresses for each question, the last one for ever.
#[derive(Debug)]
struct Script {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Script {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let at = self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.answers[at.min(self.answers.len() - 1)].clone())
    }
}

fn answers(lists: &[&[&str]]) -> Arc<Script> {
    let parse = |list: &&[&str]| list.iter().map(|address| address.parse().expect("an address")).collect();
    Arc::new(Script { answers: lists.iter().map(parse).collect(), asked: AtomicUsize::new(0) })
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused() {
    for inner in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0"] {
        // An honest address beside it makes it no better.
        let script = answers(&[&["2606:4700::1111", inner]]);
        let kit = Kit::with_way(Kind::Bubblewrap, Way { resolver: script.clone(), ..Way::default() }).await;
        let done =
            ask(&kit, &["inner.example:80".to_owned()], &["CONNECT inner.example:80 HTTP/1.1\\n\\n".to_owned()]).await;
        assert!(done.stdout().starts_with("HTTP/1.1 403 "), "{inner}: {}", done.words());
        let reason = format!("inner.example leads to {inner}, which is not on the public internet");
        assert_eq!(refusals(&done), [("inner.example:80".to_owned(), reason)]);
    }
}

/// An operator's own mirror.
#[tokio::test]
async fn a_name_may_lead_to_the_addresses_that_the_operator_names() {
    let server = Server::start().await;
    let port = server.address.port();
    let request = [format!("GET http://mirror.example:{port}/ HTTP/1.1\\n\\n")];
    for (inner, opens) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let inner = vec![inner.parse().expect("a network")];
        let way = Way { resolver: answers(&[&["127.0.0.1"]]), inner, ..Way::default() };
        let kit = Kit::with_way(Kind::Bubblewrap, way).await;
        let done = ask(&kit, &[format!("mirror.example:{port}")], &request).await;
        assert_eq!(done.stdout().contains("got GET /"), opens, "{}", done.words());
    }
    assert_eq!(server.was_asked(), 1);
}

/// What the name says the second time is never asked for.
#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let server = Server::start().await;
    // The first address is public, and of a kind that no machine has; the second is the server's.
    let script = answers(&[&["2606:4700:dead:beef::1"], &["127.0.0.1"]]);
    let kit = Kit::with_way(Kind::Bubblewrap, Way { resolver: script.clone(), ..Way::default() }).await;
    let port = server.address.port();
    let done =
        ask(&kit, &[format!("moving.example:{port}")], &[format!("CONNECT moving.example:{port} HTTP/1.1\\n\\n")])
            .await;
    assert!(done.stdout().starts_with("HTTP/1.1 502 "), "{}", done.words());
    assert_eq!((script.asked.load(Ordering::SeqCst), server.was_asked()), (1, 0));
}

/// This machine's own names are names, too.
#[tokio::test]
async fn the_systems_own_resolver_is_looked_at_as_well() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let server = Server::start().await;
    let port = server.address.port();
    let done = ask(&kit, &[format!("localhost:{port}")], &[format!("CONNECT localhost:{port} HTTP/1.1\\n\\n")]).await;
    assert!(done.stdout().starts_with("HTTP/1.1 403 "), "{}", done.words());
    assert_eq!((refusals(&done).len(), server.was_asked()), (1, 0));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let long = format!("GET http://example.org/{} HTTP/1.1\\n\\n", "x".repeat(20_000));
    let many = format!("GET http://example.org/ HTTP/1.1\\n{}\\n", "a: b\\n".repeat(100));
    let done = ask(&kit, &["example.org".to_owned()], &[long, many]).await;
    let answers: Vec<String> = done.stdout().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 400 ")), "{answers:?}");
}

/// A machine behind a proxy of its own: names are resolved there, and what one is called goes along.
#[tokio::test]
async fn it_goes_through_the_proxy_outside() {
    let proxy = Server::start().await;
    let upstream = format!("http://user:word@{}", proxy.address).parse().expect("an address");
    let kit = Kit::with_way(Kind::Bubblewrap, Way { upstream: Some(upstream), ..Way::default() }).await;
    let requests = [
        "GET http://far.example/x HTTP/1.1\\n\\n",
        "CONNECT far.example:443 HTTP/1.1\\n\\n",
        "CONNECT other.example:443 HTTP/1.1\\n\\n",
    ];
    let done = ask(&kit, &["far.example".to_owned()], &requests.map(str::to_owned)).await;
    let said = done.stdout();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("got GET http://far.example/x HTTP/1.1, Host: far.example, Connection: close, Proxy-Authorization: Basic dXNlcjp3b3Jk"), "{lines:?}");
    assert!(lines[1].starts_with("HTTP/1.1 200 Connection established|"), "{lines:?}");
    assert!(lines[2].starts_with("HTTP/1.1 403 "), "{lines:?}");
    assert_eq!(proxy.was_asked(), 2);
}

#[tokio::test]
async fn without_namespaces_there_is_no_network_at_all() {
    let kit = Kit::new(Kind::Landlock).await;
    let mut command = kit.bash("true");
    command.network = Network::Allow(vec!["example.org".parse().expect("a rule")]);
    let error = kit.run(command).await.expect_err("no network");
    assert!(matches!(error, Error::NotHere(_)), "{error:?}");
}
