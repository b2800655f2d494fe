//! From the connection's options, the environment and key files to a client.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use mediaprep::tokens::Service;
use mediaprep_client::{
    Client, ClientBuilder, RetryPolicy, Secret, Timeouts, TokenSource, UploadAddress, UploadCache,
    UploadOptions, blocking,
};

use crate::args::{ConnectArgs, UploadAddressArg};
use crate::failure::Failure;

/// Where a key is looked for, the first that is set.
const KEYS: [&str; 2] = ["GEMINI_API_KEY", "GOOGLE_API_KEY"];

/// The client that the options ask for. `largest` is the most bytes that the service takes in one
/// request.
///
/// # Errors
///
/// A missing or empty key, a missing project, and what building gives.
pub(crate) fn client(
    args: &ConnectArgs,
    service: Service,
    largest: Option<u64>,
) -> Result<blocking::Client, Failure> {
    let builder = match service {
        Service::DeveloperApi => Client::developer_api(key(args)?),
        Service::Vertex if args.express => Client::vertex_express(key(args)?),
        Service::Vertex => vertex(args)?,
    };
    let builder = builder
        .retry(RetryPolicy {
            tries: args.tries,
            total: Duration::from_secs(args.retry_time),
            ..RetryPolicy::default()
        })
        .timeouts(Timeouts { idle: Duration::from_secs(args.idle_timeout), ..Timeouts::default() })
        .upload_address(match args.upload_address {
            UploadAddressArg::Keep => UploadAddress::Keep,
            UploadAddressArg::Rewrite => UploadAddress::Rewrite,
        });
    let built = with_options(builder, args, largest).build().and_then(blocking::Client::new);
    built.map_err(|error| failure(&error))
}

fn with_options(
    mut builder: ClientBuilder,
    args: &ConnectArgs,
    largest: Option<u64>,
) -> ClientBuilder {
    if let Some(base) = &args.base_url {
        builder = builder.base_url(base);
    }
    if let Some(version) = &args.api_version {
        builder = builder.api_version(version);
    }
    if let Some(project) = &args.quota_project {
        builder = builder.quota_project(project);
    }
    if let Some(seconds) = args.timeout {
        builder = builder.deadline(Duration::from_secs(seconds));
    }
    match largest {
        Some(bytes) => builder.largest_request(bytes),
        None => builder,
    }
}

fn vertex(args: &ConnectArgs) -> Result<ClientBuilder, Failure> {
    let given = |option: &Option<String>, name: &str| {
        option.clone().or_else(|| env::var(name).ok()).filter(|text| !text.is_empty())
    };
    let project = given(&args.project, "GOOGLE_CLOUD_PROJECT").ok_or_else(|| {
        let message = "--service vertex needs a project";
        Failure::option(message, "give --project, set GOOGLE_CLOUD_PROJECT, or use --express")
    })?;
    let location = given(&args.location, "GOOGLE_CLOUD_LOCATION");
    let token = match &args.token_command {
        Some(command) => TokenSource::Command {
            program: "/bin/sh".to_owned(),
            arguments: vec!["-c".to_owned(), command.clone()],
        },
        None => TokenSource::ApplicationDefault,
    };
    Ok(Client::vertex(&project, location.as_deref().unwrap_or("global"), token))
}

fn key(args: &ConnectArgs) -> Result<Secret, Failure> {
    let text = match &args.key_file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?,
        None => KEYS.iter().find_map(|name| env::var(name).ok()).unwrap_or_default(),
    };
    let key = Secret::new(text);
    if key.is_empty() {
        let hint = "set GEMINI_API_KEY, or name a file that holds the key with --key-file";
        return Err(Failure::option("no API key was given", hint));
    }
    Ok(key)
}

/// A client's error that stops the command.
pub(crate) fn failure(error: &mediaprep_client::Error) -> Failure {
    let hint = error.hint().unwrap_or_else(|| "see 'mediaprep send --help'".to_owned());
    Failure::option(error.to_string(), hint)
}

/// The list of uploads that may be used again; `None` where it is not wanted or nowhere to be kept.
pub(crate) fn upload_cache(args: &ConnectArgs) -> Option<UploadCache> {
    let folder = cache_folder(args).filter(|_| !args.no_reuse)?;
    Some(UploadCache::at(folder.join("uploads.redb")))
}

/// Where an upload is remembered until it is done.
pub(crate) fn upload_state(args: &ConnectArgs, options: &UploadOptions) -> Option<PathBuf> {
    use std::fmt::Write;

    let mut name = String::new();
    for byte in options.sha256?.iter().take(16) {
        let _ = write!(name, "{byte:02x}");
    }
    Some(cache_folder(args)?.join("under-way").join(name).with_extension("json"))
}

fn cache_folder(args: &ConnectArgs) -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let usual = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    args.cache_dir.clone().or_else(|| Some(usual()?.join("mediaprep")))
}
