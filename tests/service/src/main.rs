//! Runs the stand-in for the Gemini services, so that SDKs and scripts can be driven against it.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use mediaprep_service::Service;

const USAGE: &str = "\
usage: mediaprep-service [--port N] [--granularity BYTES] [--processing-polls N] [--sink]
                         [--state-file PATH] [--stop-with-stdin]

Prints the base URL and serves until it is stopped, or with --stop-with-stdin until its standard
input ends. --sink keeps no bodies. With a state file, what was received is written there each
second and at the end: requests, refusals, files.";

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).map(|options| run(&options)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&format!("error: {error}")),
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{message}");
    ExitCode::from(2)
}

#[derive(Default)]
struct Options {
    port: u16,
    granularity: Option<u64>,
    processing_polls: Option<u32>,
    sink: bool,
    state_file: Option<String>,
    stop_with_stdin: bool,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(name) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| format!("error: {name} needs a value"));
            match name.as_str() {
                "--port" => options.port = number(&name, &value()?)?,
                "--granularity" => options.granularity = Some(number(&name, &value()?)?),
                "--processing-polls" => options.processing_polls = Some(number(&name, &value()?)?),
                "--sink" => options.sink = true,
                "--stop-with-stdin" => options.stop_with_stdin = true,
                "--state-file" => options.state_file = Some(value()?),
                _ => return Err(USAGE.to_owned()),
            }
        }
        Ok(options)
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("error: {name} needs a number, not {value:?}"))
}

fn run(options: &Options) -> io::Result<()> {
    let service = Service::start_on(options.port)?;
    if let Some(bytes) = options.granularity {
        service.set_granularity(bytes);
    }
    if let Some(polls) = options.processing_polls {
        service.set_processing_polls(polls);
    }
    if options.sink {
        service.sink(true);
    }
    writeln!(io::stdout(), "{}", service.base_url())?;
    io::stdout().flush()?;
    let input = options
        .stop_with_stdin
        .then(|| std::thread::spawn(|| io::copy(&mut io::stdin(), &mut io::sink())));
    while !input.as_ref().is_some_and(|input| input.is_finished()) {
        std::thread::sleep(Duration::from_secs(1));
        write_state(&service, options)?;
    }
    write_state(&service, options)
}

fn write_state(service: &Service, options: &Options) -> io::Result<()> {
    let Some(path) = &options.state_file else { return Ok(()) };
    let requests: Vec<String> = service
        .requests()
        .iter()
        .map(|request| {
            let status = request.status.map_or("-".to_owned(), |status| status.to_string());
            format!("{} {} {} {status}", request.method, request.path, request.body_length)
        })
        .collect();
    let files: Vec<_> = service
        .files()
        .iter()
        .map(
            |file| serde_json::json!({"name": file.name, "size": file.size, "sha256": file.sha256}),
        )
        .collect();
    let state = serde_json::json!({
        "requests": requests, "refusals": service.refusals(), "files": files,
    });
    std::fs::write(path, format!("{state:#}\n"))
}
