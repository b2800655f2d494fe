//! The `mediaprep` binary: the command line over the process's own streams.

fn main() -> std::process::ExitCode {
    mediaprep_cli::main()
}
