//! Without an allowance nothing outside is reached, whichever tool is used for it and whatever it speaks.

use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command as Plain;

use crate::kit::{Kind, Kit, everywhere};

/// Servers outside that nobody is to reach.
struct Servers {
    tcp: TcpListener,
    udp: UdpSocket,
    port: u16,
}

impl Servers {
    fn start() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let port = tcp.local_addr().expect("its address").port();
        let udp = UdpSocket::bind(("127.0.0.1", port)).expect("a socket");
        tcp.set_nonblocking(true).expect("non-blocking");
        udp.set_nonblocking(true).expect("non-blocking");
        Self { tcp, udp, port }
    }

    fn was_reached(&self) -> bool {
        let tcp = self.tcp.accept().map(drop);
        let udp = self.udp.recv(&mut [0; 16]).map(drop);
        [tcp, udp].into_iter().any(|result| match result {
            Ok(()) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        })
    }
}

const PERL_TCP: &str = "use IO::Socket::INET; print IO::Socket::INET->new(PeerAddr => qq(127.0.0.1:$ENV{PORT}), Timeout => 2) ? qq(reached\n) : q()";

everywhere! {
    async fn no_tool_gets_out(kit: Kit) {
        let servers = Servers::start();
        // That it works at all, from outside.
        let control = Plain::new("perl").args(["-e", PERL_TCP]).env("PORT", servers.port.to_string()).output().expect("perl");
        assert_eq!(String::from_utf8_lossy(&control.stdout), "reached\n", "{control:?}");
        assert!(servers.was_reached());
        let mut command = kit.bash(&format!(
            r#"(exec 3<>/dev/tcp/127.0.0.1/$PORT) 2>/dev/null && echo "bash tcp"
               (exec 3<>/dev/tcp/1.1.1.1/53) 2>/dev/null && echo "bash away"
               perl -e '{PERL_TCP}'
               perl -e 'use Socket; socket(my $s, PF_INET, SOCK_DGRAM, 17) and send($s, "x", 0, sockaddr_in($ENV{{PORT}}, inet_aton("127.0.0.1")))'
               for tool in "curl -m 2 -s http://127.0.0.1:$PORT" "wget -T 2 -t 1 -q -O- http://127.0.0.1:$PORT" "nc -w 2 127.0.0.1 $PORT" \
                   "ssh -o BatchMode=yes -o ConnectTimeout=2 -p $PORT 127.0.0.1" "/usr/bin/python3 -c 'import socket,os; socket.create_connection((\"127.0.0.1\", int(os.environ[\"PORT\"])), 2)'" \
                   "git ls-remote http://127.0.0.1:$PORT/x"; do
                 program=${{tool%% *}}
                 command -v "$program" >/dev/null || {{ echo "no $program" >> missing; continue; }}
                 eval "timeout 5 $tool" </dev/null >/dev/null 2>&1 && echo "reached by $program"
               done
               getent hosts example.org && echo resolved
               getent ahosts localhost.example.org && echo resolved
               echo finished"#
        ));
        command.env.insert("PORT".to_owned(), servers.port.to_string());
        let done = kit.run(command).await.expect("it runs");
        done.assert_finished();
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
        assert!(!servers.was_reached(), "something came through");
    }
}

everywhere! {
    async fn no_socket_of_this_machine_is_reached(kit: Kit) {
        let name = format!("titan-test-{}", crate::kit::marker());
        let hidden = SocketAddr::from_abstract_name(&name).expect("a name");
        let hidden = UnixListener::bind_addr(&hidden).expect("an abstract socket");
        let path = kit.outside().join("socket");
        let open = UnixListener::bind(&path).expect("a socket");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("for everybody");
        for listener in [&hidden, &open] {
            listener.set_nonblocking(true).expect("non-blocking");
        }
        let script = format!(
            r#"perl -e 'use Socket; for my $name ("\0{name}", "$ENV{{OUTSIDE}}/socket", "/var/run/docker.sock", "/run/dbus/system_bus_socket") {{
                 socket(my $s, PF_UNIX, SOCK_STREAM, 0) or next;
                 connect($s, pack_sockaddr_un($name)) and print "reached $name\n"; }}'"#
        );
        let done = kit.script(&script).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
        assert!(hidden.accept().is_err() && open.accept().is_err());
    }
}

everywhere! {
    async fn no_rare_kind_of_socket_is_made(kit: Kit) {
        // Netlink, packets, virtual machines, the kernel's ciphers, Bluetooth, and raw packets of the usual kind.
        let done = kit.script(
            r#"perl -e 'for my $kind ([16,3,0],[17,3,0],[40,1,0],[38,5,0],[31,3,0],[2,3,1],[10,3,58],[44,3,0]) {
                 socket(my $s, @$kind) and print "made @$kind\n"; }'"#,
        ).await;
        assert_eq!(done.stdout(), "finished\n", "{}", done.words());
    }
}

/// Tests of a web application start servers of their own.
#[tokio::test]
async fn with_bubblewrap_it_has_a_loopback_of_its_own() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let done = kit
        .script(
            r#"perl -e 'use IO::Socket::INET; my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die "listen: $!";
                 my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:" . $l->sockport) or die "connect: $!"; print "both\n"'"#,
        )
        .await;
    assert_eq!(done.stdout(), "both\nfinished\n", "{}", done.words());
}
