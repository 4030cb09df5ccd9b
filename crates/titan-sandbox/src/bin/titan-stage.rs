//! What runs inside the walls before the command does: `titan_sandbox::inside` as a program. Nobody calls it by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    titan_sandbox::inside::main()
}
