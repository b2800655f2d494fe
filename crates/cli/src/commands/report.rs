//! `mediaprep report`: the budget as one page of HTML.

use std::io::{self, Write};
use std::path::Path;

use mediaprep::Planner;

use super::counting::{Counting, Sources};
use crate::args::{Common, ReportArgs};
use crate::failure::Failure;
use crate::item::Row;
use crate::output::{Output, Status};
use crate::report::{Gather, Wanted, add_pictures, render};
use crate::write::Head;
use crate::{Stop, settings};

pub(crate) fn report(
    args: &ReportArgs,
    common: &Common,
    output: &mut Output<'_>,
) -> Result<Status, Stop> {
    let target = Target::of(&args.html)?;
    let engine = settings::drawing_engine(common, output)?;
    let book = settings::rule_book(args.rule.rules.as_deref())?;
    let rules = settings::rule_sets(&book, &args.rule, &args.compare)?;
    let rules = if args.batch { settings::batch_prices(rules) } else { rules };
    let options = settings::plan_options(&args.request)?;
    let mut counting = Counting::new(&rules, &options)?;
    let mut sources = Sources::open(&args.inputs, &args.request, &engine)?;
    let mut gather = Gather::default();
    output.start_progress(sources.total(), false);
    output.fold_warnings_of("the page has more");
    let mut take = |row: Row<'_>, planner: Option<&Planner<'_>>, _: &mut Output<'_>| {
        gather.take(&row, planner);
        Ok(())
    };
    counting.run(&engine, &mut sources, &mut take, output)?;
    output.report_folded();
    counting.close();
    let on = rules.first().map(|rules| rules.key.date);
    let head = Head { command: "report", rules: &rules, on };
    let (mut page, rows) = gather.page(&head, &counting.summary).map_err(io::Error::from)?;
    let wanted = Wanted {
        files: sources.files(),
        most: usize::from(args.thumbnails),
        level: options.media_resolution,
    };
    add_pictures(&mut page, &rows, &wanted, &engine).map_err(|error| settings::failure(&error))?;
    target.write(render(&page).as_bytes(), output)?;
    Ok(counting.status(args.max_tokens, output))
}

/// Where the page goes.
enum Target<'a> {
    Data,
    File { path: &'a Path, folder: &'a Path },
}

impl<'a> Target<'a> {
    /// Checked before anything is counted.
    fn of(path: &'a Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self::Data);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let refuse = |found: &str| {
            let message = format!("--html: {}: {found}", path.display());
            Err(Failure::option(message, "name a file in a folder that exists"))
        };
        match (folder.is_dir(), path.is_dir()) {
            (false, _) => refuse("its folder does not exist"),
            (true, true) => refuse("a folder"),
            (true, false) => Ok(Self::File { path, folder }),
        }
    }

    /// Writes the page, a file under a temporary name first.
    fn write(&self, page: &[u8], output: &mut Output<'_>) -> Result<(), Stop> {
        let Self::File { path, folder } = self else {
            return Ok(output.data.write_all(page)?);
        };
        let mut file = shared(&mut tempfile::Builder::new()).tempfile_in(folder)?;
        file.write_all(page)?;
        file.persist(path).map_err(|error| error.error)?;
        let size = crate::text::bytes(page.len() as u64);
        output.note(&format!("{size} in {}", crate::text::printable(&path.to_string_lossy())));
        Ok(())
    }
}

/// A page is made to be shown to others, so it is readable as any new file is.
#[cfg(unix)]
fn shared<'a, 'b, 'c>(
    file: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    use std::os::unix::fs::PermissionsExt;
    file.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn shared<'a, 'b, 'c>(
    file: &'a mut tempfile::Builder<'b, 'c>,
) -> &'a mut tempfile::Builder<'b, 'c> {
    file
}
