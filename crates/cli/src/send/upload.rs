//! Uploads as the user sees them: a bar on a terminal, notes elsewhere.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mediaprep_client::{DeliveryEvent, Pending};

use crate::args::ConnectArgs;
use crate::output::Output;
use crate::settings;

/// Gives files that are to be uploaded a bar and a place where they are remembered.
pub(crate) struct Uploads {
    bar: Option<ProgressBar>,
}

impl Uploads {
    /// A bar where there is a terminal.
    pub(crate) fn new(output: &Output<'_>) -> Self {
        let bar = output.shows_progress().then(|| {
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(Some(0), target);
            let style = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    /// The same files, seen and remembered.
    pub(crate) fn watched(&self, files: &[Pending], connect: &ConnectArgs) -> Vec<Pending> {
        let watched = |file: &Pending| {
            let mut file = file.clone();
            file.options.state_file = settings::upload_state(connect, &file.options);
            if let Some(bar) = self.bar.clone() {
                let name = file.options.display_name.clone().unwrap_or_default();
                file.options.progress = Some(Arc::new(move |sent, length| {
                    bar.set_length(length);
                    bar.set_position(sent);
                    bar.set_message(name.clone());
                }));
            }
            file
        };
        files.iter().map(watched).collect()
    }

    /// Shows how long a file is waited for.
    pub(crate) fn waiting(&self, name: &str, waited: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{name} is being processed, {} s", waited.as_secs()));
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Says what happened to a file.
pub(crate) fn report_event(event: &DeliveryEvent<'_>, uploads: &Uploads, output: &mut Output<'_>) {
    match event {
        DeliveryEvent::Reused(file) => {
            output.note(&format!("{} was uploaded before and is used again", file.name));
        }
        DeliveryEvent::Uploaded(file) => output.note(&format!("uploaded as {}", file.name)),
        DeliveryEvent::Waiting(file, waited) => {
            // The first look; the next comes after a second.
            if waited.as_secs() == 0 {
                output.note(&format!("{} is being processed", file.name));
            }
            uploads.waiting(&file.name, *waited);
        }
        DeliveryEvent::Gone(file) => {
            output.note(&format!("{} is gone and is uploaded again", file.name));
        }
        DeliveryEvent::NoList(error) => {
            output.note(&format!("{error}; files may be uploaded twice"));
        }
        _ => {}
    }
}
