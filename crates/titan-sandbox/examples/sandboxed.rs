//! Runs one command in the sandbox, to see what it looks like from inside:
//! `cargo run -p titan-sandbox --example sandboxed -- --allow example.org ./some-directory curl -sS https://example.org`.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use titan_sandbox::{Command, Event, Exit, Network, Sandbox, Settings, Stream, Variant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const USAGE: &str = "[--landlock] [--read PATH]... [--allow TARGET]... DIRECTORY PROGRAM [ARGUMENT]...";

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut settings = Settings::default();
    let (mut read_only, mut allowed) = (Vec::new(), Vec::new());
    let workdir = loop {
        let argument = arguments.next().ok_or(USAGE)?;
        match argument.as_str() {
            "--landlock" => settings.variant = Some(Variant::Landlock),
            "--read" => read_only.push(arguments.next().ok_or(USAGE)?.into()),
            "--allow" => allowed.push(arguments.next().ok_or(USAGE)?.parse()?),
            _ => break argument,
        }
    };
    let mut command = Command::new(arguments.next().ok_or(USAGE)?, workdir);
    command.args = arguments.collect();
    command.read_only = read_only;
    if !allowed.is_empty() {
        command.network = Network::Allow(allowed);
    }
    let sandbox = Sandbox::detect(settings).await?;
    let (events, mut heard) = mpsc::channel(64);
    let cancel = CancellationToken::new();
    let on_interrupt = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_interrupt.cancel();
        }
    });
    let print = async {
        while let Some(event) = heard.recv().await {
            match event {
                Event::Output(chunk) if chunk.stream == Stream::Stdout => io::stdout().write_all(&chunk.bytes)?,
                Event::Output(chunk) => io::stderr().write_all(&chunk.bytes)?,
                other => writeln!(io::stderr(), "{other:?}")?,
            }
        }
        Ok::<_, io::Error>(())
    };
    let (ended, printed) = tokio::join!(sandbox.run(command, events, cancel), print);
    printed?;
    let ended = ended?;
    writeln!(io::stderr(), "{ended:?}")?;
    Ok(if ended.exit == Exit::Code(0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
