//! What a command writes is heard while it runs, as it was written.

use std::time::Duration;

use titan_sandbox::{Event, Exit, Stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::kit::{Kind, Kit, everywhere};

everywhere! {
    async fn both_streams_are_heard_with_their_colours(kit: Kit) {
        let done = kit.run(kit.bash(r#"printf '\033[32mgreen\033[0m'; printf problem >&2; printf '\xff\xfe' >&2"#)).await.expect("it runs");
        assert_eq!(done.stdout(), "\u{1b}[32mgreen\u{1b}[0m");
        assert_eq!(done.text(Stream::Stderr), "problem\u{fffd}\u{fffd}");
        assert_eq!(done.ended.output_bytes, 14 + 9);
    }
}

everywhere! {
    async fn it_is_heard_while_it_runs(kit: Kit) {
        let (events, mut heard) = mpsc::channel(4);
        let sandbox = kit.sandbox.clone();
        let command = kit.bash("echo first; while [ ! -e go ]; do sleep 0.02; done; echo second");
        let run = tokio::spawn(async move { sandbox.run(command, events, CancellationToken::new()).await });
        let Some(Event::Output(first)) = heard.recv().await else { panic!("nothing was heard") };
        assert_eq!(first.bytes, "first\n");
        // It goes on only now, so it was heard before the end.
        kit.put("go", "");
        let Some(Event::Output(second)) = heard.recv().await else { panic!("nothing more was heard") };
        assert_eq!(second.bytes, "second\n");
        assert!(second.at > first.at);
        assert_eq!(run.await.expect("no panic").expect("it ran").exit, Exit::Code(0));
    }
}

#[tokio::test]
async fn no_chunk_ends_within_a_character() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    // The three bytes of one character, one at a time, and then many of them.
    let done = kit
        .run(kit.bash(r#"printf '\xe2'; sleep 0.1; printf '\x82'; sleep 0.1; printf '\xac'; perl -e 'print "\xe2\x82\xac" x 100000'; printf 'a\xe2\x82'"#))
        .await
        .expect("it runs");
    let chunks: Vec<&[u8]> = done
        .events
        .iter()
        .filter_map(|event| if let Event::Output(chunk) = event { Some(&chunk.bytes[..]) } else { None })
        .collect();
    let (last, whole) = chunks.split_last().expect("chunks");
    assert!(whole.len() > 2);
    assert!(whole.iter().all(|chunk| std::str::from_utf8(chunk).is_ok()));
    assert!(last.ends_with(b"\xe2\x82"), "at the end, what there is");
}

/// A command is never slowed down by who listens, or does not.
#[tokio::test]
async fn nobody_has_to_listen() {
    let kit = Kit::new(Kind::Bubblewrap).await;
    let (events, heard) = mpsc::channel(1);
    drop(heard);
    let ended = kit
        .sandbox
        .run(kit.bash("head -c 5000000 /dev/zero"), events, CancellationToken::new())
        .await
        .expect("it runs");
    assert_eq!((ended.exit, ended.output_bytes), (Exit::Code(0), 5_000_000));
    let (events, mut heard) = mpsc::channel(1);
    let slow = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut bytes = 0;
        while let Some(Event::Output(chunk)) = heard.recv().await {
            bytes += chunk.bytes.len();
        }
        bytes
    };
    let (ended, bytes) = tokio::join!(
        kit.sandbox.run(kit.bash("head -c 5000000 /dev/zero; touch done"), events, CancellationToken::new()),
        slow
    );
    assert_eq!((ended.expect("it runs").exit, bytes), (Exit::Code(0), 5_000_000));
}

everywhere! {
    async fn its_input_is_what_was_given(kit: Kit) {
        let mut command = kit.bash("wc -c; read -r x || echo over");
        command.stdin = vec![b'x'; 300_000];
        let done = kit.run(command).await.expect("it runs");
        assert_eq!(done.stdout(), "300000\nover\n", "{}", done.words());
        let done = kit.run(kit.bash("cat; echo over")).await.expect("it runs");
        assert_eq!(done.stdout(), "over\n");
    }
}

everywhere! {
    async fn what_it_took_is_told(kit: Kit) {
        let done = kit.run(kit.bash(r#"perl -e 'my $all = "x" x (50 << 20); my $n = 0; my $end = times + 0.5; $n++ while times < $end; sleep 1'"#)).await.expect("it runs");
        let ended = done.ended;
        assert!(ended.cpu_user + ended.cpu_system >= Duration::from_millis(400), "{ended:?}");
        assert!(ended.peak_memory > 40 << 20, "{ended:?}");
        assert!(ended.wall >= Duration::from_secs(1), "{ended:?}");
    }
}
