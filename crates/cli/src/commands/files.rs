//! `mediaprep files`: the File API.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mediaprep::Outcome;
use mediaprep::tokens::{RuleBook, Service};
use mediaprep_client::{
    Delivery, Error as ClientError, File, FileSource, FileState, Pending, UploadOptions, blocking,
};
use sha2::{Digest, Sha256};

use crate::args::{Common, ConnectArgs, FilesArgs, FilesCommand, UploadArgs};
use crate::failure::Failure;
use crate::output::{Output, Status};
use crate::send::{Uploads, report_event};
use crate::text::{bytes, printable};
use crate::{Stop, inputs, settings};

pub(crate) fn files(
    args: &FilesArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    match &args.command {
        FilesCommand::Upload(args) => upload(args, common, output),
        FilesCommand::List { json, connect } => list(connect, *json, output),
        FilesCommand::Get { names, connect } => {
            let client = client(connect)?;
            each(names, output, |name, output| {
                let file = client.wait(client.asynchronous().files().get(name))?;
                print_json(&file, output);
                Ok(())
            })
        }
        FilesCommand::Wait { names, connect } => wait(names, connect, output),
        FilesCommand::Delete { names, all, connect } => delete(names, *all, connect, output),
    }
}

fn client(connect: &ConnectArgs) -> Result<blocking::Client, Failure> {
    settings::client(connect, Service::DeveloperApi, None)
}

/// Does something with every name; one that fails does not stop the others.
fn each(
    names: &[String],
    output: &mut Output<'_>,
    mut work: impl FnMut(&str, &mut Output<'_>) -> Result<(), ClientError>,
) -> Result<Status, Stop> {
    let mut status = Status::Done;
    for name in names {
        if let Err(error) = work(name, output) {
            report(name, &error, output);
            status = Status::Failed;
        }
    }
    Ok(status)
}

fn report(name: &str, error: &ClientError, output: &mut Output<'_>) {
    let failure = settings::client_failure(error);
    let message = format!("{}: files: {}", printable(name), failure.message);
    output.report_failure(&Failure { message, ..failure });
}

fn print_json(file: &File, output: &mut Output<'_>) {
    let _ = serde_json::to_writer(&mut *output.data, file)
        .map_err(std::io::Error::from)
        .and_then(|()| writeln!(output.data));
}

fn list(connect: &ConnectArgs, json: bool, output: &mut Output<'_>) -> Result<Status, Stop> {
    let client = client(connect)?;
    let mut list = client.asynchronous().files().list(Some(100));
    let (mut count, mut total) = (0u64, 0u64);
    loop {
        let next = client.wait(async { list.next().await.transpose() });
        let file = match next.map_err(|error| settings::client_failure(&error))? {
            Some(file) => file,
            None => break,
        };
        count += 1;
        total = total.saturating_add(file.size_bytes.unwrap_or(0));
        if json {
            print_json(&file, output);
        } else {
            print_row(&file, output)?;
        }
    }
    output.note(&format!("{count} files, {} of the project's 20 GB", bytes(total)));
    Ok(Status::Done)
}

fn print_row(file: &File, output: &mut Output<'_>) -> std::io::Result<()> {
    let size = file.size_bytes.map_or_else(|| "unknown".to_owned(), bytes);
    let until = file.expiration_time.as_deref().unwrap_or("stays");
    writeln!(
        output.data,
        "{:<28} {:>10} {:<10} {:<16} {:<20} {}",
        file.name,
        size,
        file.state.to_string(),
        file.mime_type.as_deref().unwrap_or(""),
        until.split('.').next().unwrap_or_default(),
        printable(file.display_name.as_deref().unwrap_or(""))
    )
}

fn wait(names: &[String], connect: &ConnectArgs, output: &mut Output<'_>) -> Result<Status, Stop> {
    let client = client(connect)?;
    let limit = Duration::from_secs(connect.wait);
    each(names, output, |name, output| {
        let files = client.asynchronous().files();
        let uploads = Uploads::new(output);
        let ready = client.wait(async {
            let file = files.get(name).await?;
            files.wait_active(file, limit, |file, waited| uploads.waiting(&file.name, waited)).await
        });
        uploads.finish();
        print_json(&ready?, output);
        Ok(())
    })
}

fn delete(
    names: &[String],
    all: bool,
    connect: &ConnectArgs,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let client = client(connect)?;
    let mut names = names.to_vec();
    if all {
        let found = client.wait(async {
            let mut list = client.asynchronous().files().list(Some(100));
            let mut names = Vec::new();
            while let Some(file) = list.next().await {
                names.push(file?.name);
            }
            Ok(names)
        });
        names = found.map_err(|error| settings::client_failure(&error))?;
    }
    let cache = settings::upload_cache(connect);
    let mut deleted = 0;
    let status = each(&names, output, |name, output| {
        client.wait(client.asynchronous().files().delete(name))?;
        deleted += 1;
        if let Some(Err(error)) = cache.as_ref().map(|cache| cache.forget(name)) {
            output.note(&error.to_string());
        }
        Ok(())
    });
    output.note(&format!("{deleted} files deleted"));
    status
}

fn upload(args: &UploadArgs, common: &Common, output: &mut Output<'_>) -> Result<Status, Stop> {
    let client = client(&args.connect)?;
    let engine = settings::engine(common)?;
    let list = inputs::collect(&args.inputs, engine.threads())?;
    if args.name.is_some() && list.len() != 1 {
        let message = format!("--name: one name, but {} files", list.len());
        return Err(Failure::option(message, "upload one file at a time").into());
    }
    let book = RuleBook::builtin();
    let cache = settings::upload_cache(&args.connect);
    let mut status = Status::Done;
    for input in &list {
        let name = input.name();
        let uploads = Uploads::new(output);
        let done = pending(args, &engine, (&book, input)).and_then(|file| {
            let files = uploads.watched(std::slice::from_ref(&file), &args.connect);
            one(args, &client, &files, (&uploads, cache.as_ref(), output))
                .map_err(|error| settings::client_failure(&error))
        });
        uploads.finish();
        match done {
            Ok(Some(file)) => print_json(&file, output),
            Ok(None) => {}
            Err(failure) => {
                let message = format!("{}: upload: {}", printable(&name), failure.message);
                output.report_failure(&Failure { message, ..failure });
                status = Status::Failed;
            }
        }
    }
    Ok(status)
}

/// What is to be uploaded of an input, with its type by its own bytes.
fn pending(
    args: &UploadArgs,
    engine: &mediaprep::Engine,
    (book, input): (&RuleBook, &mediaprep::Input),
) -> Result<Pending, Failure> {
    let name = input.name();
    let path = Path::new(&name);
    let unread = |error: std::io::Error| Failure::option(error.to_string(), "check the path");
    let source = FileSource::new(path).map_err(unread)?;
    let mime_type = match &args.mime_type {
        Some(given) => given.clone(),
        None => mime_type(engine, book, input)?,
    };
    let mut sha256 = Sha256::new();
    let copied =
        std::fs::File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut sha256));
    copied.map_err(unread)?;
    let options = UploadOptions {
        mime_type,
        name: args.name.clone(),
        display_name: path.file_name().map(|name| name.to_string_lossy().into_owned()),
        sha256: Some(sha256.finalize().into()),
        ..UploadOptions::default()
    };
    Ok(Pending { source: Arc::new(source), options })
}

/// The type as the Developer API spells it, by the file's own bytes.
fn mime_type(
    engine: &mediaprep::Engine,
    book: &RuleBook,
    input: &mediaprep::Input,
) -> Result<String, Failure> {
    let mut found = None;
    let probed = engine.probe_each(std::iter::once(input.clone()), &mut |outcome| {
        found = Some(outcome);
        ControlFlow::Break(())
    });
    probed.map_err(|error| settings::failure(&error))?;
    let mime = match found {
        Some(Outcome::Media(probed)) => probed.mime_type,
        _ => None,
    };
    let Some(mime) = mime else {
        let hint = "name its type with --mime-type, such as text/plain or application/jsonl";
        return Err(Failure::option("its bytes do not tell its type", hint));
    };
    let today = settings::date(None)?;
    let model = book.default_model(today).map(|model| model.id.as_str()).unwrap_or_default();
    let verdict = book.mime(model, Service::DeveloperApi, today, mime);
    Ok(verdict
        .and_then(|verdict| verdict.send_as().map(str::to_owned))
        .unwrap_or_else(|| mime.to_string()))
}

/// Uploads a file unless it is there already, and waits for it; nothing to print where it is not
/// waited for and was there.
fn one(
    args: &UploadArgs,
    client: &blocking::Client,
    files: &[Pending],
    (uploads, cache, output): (&Uploads, Option<&mediaprep_client::UploadCache>, &mut Output<'_>),
) -> Result<Option<File>, ClientError> {
    let asynchronous = client.asynchronous();
    if args.no_wait || args.name.is_some() {
        let Some(file) = files.first() else { return Ok(None) };
        let stored = client.upload(file.source.clone(), &file.options)?;
        if args.no_wait || stored.state != FileState::Processing {
            return Ok(Some(stored));
        }
        let limit = Duration::from_secs(args.connect.wait);
        let waiting = |file: &File, waited| uploads.waiting(&file.name, waited);
        return client.wait(asynchronous.files().wait_active(stored, limit, waiting)).map(Some);
    }
    let output = RefCell::new(output);
    let delivery = Delivery::new(asynchronous)
        .cache(cache)
        .wait(Duration::from_secs(args.connect.wait))
        .observer(|event| report_event(&event, uploads, &mut output.borrow_mut()));
    client.wait(async {
        let uploaded = delivery.upload(files).await?;
        let Some(file) = uploaded.first() else { return Ok(None) };
        asynchronous.files().get(&file.name).await.map(Some)
    })
}
