//! The command line as it is typed. Meanings are checked in `settings`.

mod bench;
mod connect;
mod examples;
mod files;
mod fit;
mod media;
mod pdf;
mod report;
mod sampling;
mod send;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::bench::{BenchArgs, BenchFormat};
pub(crate) use self::connect::{ConnectArgs, UploadAddressArg};
pub(crate) use self::files::{FilesArgs, FilesCommand, UploadArgs};
pub(crate) use self::fit::{FitArgs, FittingArgs, LeverArg};
pub(crate) use self::media::{
    ChromaArg, FilterArg, ImageArgs, ImageFormatArg, ImagesArg, ProfileArg, TimeArgs, VideoArg,
};
pub(crate) use self::pdf::{PdfArg, PdfArgs, PdfEngineArg};
pub(crate) use self::report::ReportArgs;
pub(crate) use self::sampling::{SamplingArgs, ThinkingLevelArg};
pub(crate) use self::send::{SendArgs, VerifyArgs};

/// Know what media will cost on a Gemini model before you send it.
#[derive(Debug, Parser)]
#[command(name = "mediaprep", version, max_term_width = 100, args_override_self = true,
    after_long_help = examples::TOP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print what the header of each file says: format, size, length, pages.
    #[command(args_override_self = true, after_long_help = examples::PROBE)]
    Probe(ProbeArgs),
    /// Count tokens and cost, check window and limits, and say how files travel.
    ///
    /// Headers are read, pixels never decoded, and no connection is opened.
    #[command(args_override_self = true, after_long_help = examples::BUDGET)]
    Budget(Box<BudgetArgs>),
    /// Write the budget as one page of HTML, with pictures of what is counted and its tiles.
    ///
    /// The page stands alone: it loads nothing, so it can be mailed, archived and read offline. The
    /// sums are those of `budget` with the same options. Long lists are cut, the dearest first, and
    /// the page says what was left out.
    #[command(args_override_self = true, after_long_help = examples::REPORT)]
    Report(Box<ReportArgs>),
    /// Choose what is given up of each file so that everything is within a budget.
    ///
    /// What is given up is chosen so that as little as possible is lost: the sum over all files of
    /// what each loses, times its weight. No file ever gets dearer.
    #[command(args_override_self = true, after_long_help = examples::FIT)]
    Fit(Box<FitArgs>),
    /// Bring media into shape and write them with a manifest and the request, ready to send.
    ///
    /// A run that was stopped goes on where it ended, and a second run does nothing twice. An image
    /// that needs nothing is passed on byte for byte, metadata included; one that is encoded again
    /// loses its Exif and GPS data.
    #[command(args_override_self = true, after_long_help = examples::PREPARE)]
    Prepare(Box<PrepareArgs>),
    /// Prepare media, upload what does not go inside the request, ask, and print the answer.
    ///
    /// The answer goes to standard output as it comes; what was charged, beside our own count, to
    /// standard error.
    #[command(args_override_self = true, after_long_help = examples::SEND)]
    Send(Box<SendArgs>),
    /// Count here and by the service, and show the difference.
    ///
    /// By the count-tokens meter the service is asked to count, which costs nothing. By the billed
    /// meter it is asked for an answer of one token, and what it reports as charged is compared:
    /// that costs what the media cost.
    #[command(args_override_self = true, after_long_help = examples::VERIFY)]
    Verify(Box<VerifyArgs>),
    /// Upload, list, look at, wait for and delete files by the File API.
    #[command(args_override_self = true, after_long_help = examples::FILES)]
    Files(Box<FilesArgs>),
    /// Turn the boxes of a model's answer into pixels of the original image, and draw them.
    ///
    /// Boxes are `[ymin, xmin, ymax, xmax]` on a grid of 0 to 1000 over the image that the model was
    /// shown, bare or in the model's JSON answer, fenced or not.
    #[command(args_override_self = true, after_long_help = examples::BOXES)]
    Boxes(BoxesArgs),
    /// Print the rule book: rows, evidence, sources, limits, prices.
    #[command(args_override_self = true, after_long_help = examples::MODELS)]
    Models(ModelsArgs),
    /// Measure each stage of the work on files of your own, and compare with a saved run.
    ///
    /// The stages are run in turns, one round after another, on the files that are named; what comes
    /// out is dropped. Each file counts, also one with the bytes of another. Times on the clock are
    /// those of a machine that others use too: CPU time is what decides, unless nobody else was
    /// there.
    #[command(args_override_self = true, after_long_help = examples::BENCH)]
    Bench(Box<BenchArgs>),
    /// Print a completion script for a shell.
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions {
        /// The shell to complete in.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, with every command and option.
    #[command(after_long_help = examples::MAN)]
    Man,
    /// Draw pages for another process of this program.
    #[command(hide = true)]
    PdfWorker,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub(crate) struct Common {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// No progress, notes or warnings; errors still show.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Worker threads [default: all cores].
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Memory that decoding jobs may hold, such as 512M or 2G [default: a quarter of RAM]. Header
    /// probes hold next to nothing whatever this says.
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory: Option<u64>,
    /// Password of encrypted PDFs. Other users of the machine can see it: better is the environment
    /// variable MEDIAPREP_PASSWORD, or --ask-password.
    #[arg(long, global = true, value_name = "TEXT", hide_possible_values = true)]
    pub(crate) password: Option<String>,
    /// Ask for the password of encrypted PDFs on the terminal.
    #[arg(long, global = true, conflicts_with = "password")]
    pub(crate) ask_password: bool,
    /// TOML file with the same names as the options; options on the command line win.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Ndjson,
    Csv,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub(crate) struct InputArgs {
    /// Files or folders; folders are walked.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Read more paths from a file, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) files_from: Option<PathBuf>,
    /// The list of --files-from is separated by NUL bytes.
    #[arg(short = '0', long = "null", requires = "files_from")]
    pub(crate) null: bool,
    /// Take facts (NDJSON) in place of files; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "files_from"])]
    pub(crate) facts: Option<PathBuf>,
    /// Walk hidden files and folders too.
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Do not respect .gitignore and .ignore files.
    #[arg(long)]
    pub(crate) no_ignore: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
}

impl OutputArgs {
    pub(crate) const fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    /// Read the pages of PDFs too: which have text of their own, which are scans.
    #[arg(long, conflicts_with = "facts")]
    pub(crate) contents: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Rule")]
pub(crate) struct RuleArgs {
    /// Exact model id [default: the newest stable Flash of the rule book].
    #[arg(long, value_name = "ID")]
    pub(crate) model: Option<String>,
    /// The service that takes the request.
    #[arg(long, value_enum, default_value_t = ServiceArg::DeveloperApi)]
    pub(crate) service: ServiceArg,
    /// Whose count is wanted; billed falls back to documented where nobody has measured.
    #[arg(long, value_enum, default_value_t = MeterArg::Billed)]
    pub(crate) meter: MeterArg,
    /// The day of the request [default: today].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) on: Option<String>,
    /// Rule file that adds rows to the rule book or replaces them.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Count by this row of the rule book, whatever models it names; for a model without a rule.
    #[arg(long, value_name = "ROW")]
    pub(crate) rule: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceArg {
    DeveloperApi,
    Vertex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MeterArg {
    Billed,
    CountTokens,
    Documented,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LevelArg {
    Low,
    Medium,
    High,
    UltraHigh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RouteArg {
    Auto,
    Inline,
    File,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AudioTrackArg {
    Auto,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RequestsArg {
    One,
    Each,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortArg {
    Tokens,
    Path,
    Cost,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// How finely the model looks; ultra-high is for images only.
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) media_resolution: Option<LevelArg>,
    /// Sampled video frames a second, above 0 and up to 24 [default: the service's 1].
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<String>,
    /// Start of the clip of each video: seconds, MM:SS or H:MM:SS [default: the beginning].
    #[arg(long, value_name = "S")]
    pub(crate) start: Option<String>,
    /// End of the clip of each video: seconds, MM:SS or H:MM:SS [default: the end].
    #[arg(long, value_name = "S")]
    pub(crate) end: Option<String>,
    /// How files travel; auto decides by size.
    #[arg(long, value_enum, default_value_t = RouteArg::Auto)]
    pub(crate) route: RouteArg,
    /// Send videos with their sound (auto) or without it (none).
    #[arg(long, value_enum, default_value_t = AudioTrackArg::Auto)]
    pub(crate) audio_track: AudioTrackArg,
    /// All inputs in one request, or every file in a request of its own.
    #[arg(long, value_enum, default_value_t = RequestsArg::One)]
    pub(crate) requests: RequestsArg,
    /// Count and send files with the same bytes as another one again, instead of once.
    #[arg(long)]
    pub(crate) keep_duplicates: bool,
    /// Text that is sent along, estimated at four characters a token.
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct BudgetArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    /// Count the price of the Batch API.
    #[arg(long, help_heading = "Request")]
    pub(crate) batch: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub(crate) struct ViewArgs {
    /// More models beside the first one, separated by commas.
    #[arg(long, value_name = "ID,ID", value_delimiter = ',')]
    pub(crate) compare: Vec<String>,
    /// Print each count's arithmetic and the rule row.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Exit with status 1 when the total is above N.
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<u64>,
    /// List every file.
    #[arg(long)]
    pub(crate) files: bool,
    /// Order of the listed files.
    #[arg(long, value_enum, default_value_t = SortArg::Path)]
    pub(crate) sort: SortArg,
    /// List only the first N files of that order; implies --files.
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

/// What is brought into shape, and how.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    #[command(flatten)]
    pub(crate) inputs: InputArgs,
    #[command(flatten)]
    pub(crate) rule: RuleArgs,
    #[command(flatten)]
    pub(crate) request: RequestArgs,
    #[command(flatten)]
    pub(crate) images: ImageArgs,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
    #[command(flatten)]
    pub(crate) pdf: PdfArgs,
    /// Put a text part `image 1`, `image 2` … before each image when there are several.
    #[arg(long, help_heading = "Request")]
    pub(crate) labels: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PrepareArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Warn of pictures that look like an earlier one, by a perceptual hash; none is left out.
    #[arg(long, help_heading = "Images")]
    pub(crate) near: bool,
    /// Spread what is more than the model takes in one request over several, each of them whole:
    /// in sending order, and the parts of a file together unless the file alone is too large.
    #[arg(long, help_heading = "Request")]
    pub(crate) split_requests: bool,
    /// Write the requests as batch.jsonl for the Batch API, at its price: each file a line, or each
    /// request of --split-requests.
    #[arg(long, help_heading = "Request")]
    pub(crate) batch: bool,
    /// Folder for the part files, manifest.json and request.json; `-` writes each part as a line of
    /// JSON to standard output instead, its bytes inside.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(crate) out: PathBuf,
    /// List every file.
    #[arg(long, help_heading = "Output")]
    pub(crate) files: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BoxesArgs {
    /// The image: the original, or a part that `prepare` made of it.
    #[arg(long, value_name = "FILE")]
    pub(crate) image: PathBuf,
    /// File with the model's answer; `-` is standard input, and the default.
    #[arg(long = "in", value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// The part that the model was shown, when --image names the original.
    #[arg(long, value_name = "FILE")]
    pub(crate) part: Option<PathBuf>,
    /// Manifest that describes the part [default: the one above the part's folder].
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<PathBuf>,
    /// Draw the boxes with their labels onto the original and write that as PNG.
    #[arg(long, value_name = "FILE")]
    pub(crate) draw: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl PrepareArgs {
    /// How the table is shown.
    pub(crate) const fn view(&self) -> ViewArgs {
        ViewArgs {
            compare: Vec::new(),
            explain: false,
            max_tokens: None,
            files: self.files,
            sort: SortArg::Path,
            top: None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ModelsArgs {
    /// Show everything about one model.
    #[arg(value_name = "ID")]
    pub(crate) model: Option<String>,
    /// Rule file that adds rows to the rule book or replaces them.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// The day whose rows and prices are shown [default: today].
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) on: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Bytes from text such as `512M`: a whole number with an optional K, M, G or T (powers of 1024).
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let upper = text.trim().to_ascii_uppercase();
    let digits = upper.trim_end_matches("IB").trim_end_matches('B');
    let (number, shift) = match digits.as_bytes().last() {
        Some(b'K') => (&digits[..digits.len() - 1], 10),
        Some(b'M') => (&digits[..digits.len() - 1], 20),
        Some(b'G') => (&digits[..digits.len() - 1], 30),
        Some(b'T') => (&digits[..digits.len() - 1], 40),
        _ => (digits, 0),
    };
    let parsed: Option<u64> = number.parse().ok();
    let bytes = parsed.and_then(|number| number.checked_mul(1 << shift)).filter(|&bytes| bytes > 0);
    bytes.ok_or_else(|| "a size is a whole number above 0 with K, M, G or T, such as 512M".into())
}

/// The arguments with those of a configuration file put before the typed ones, so that the typed
/// ones win.
///
/// # Errors
///
/// A clause that names the key and what is wrong with it.
pub(crate) fn with_config(args: &[OsString], config: &str) -> Result<Vec<OsString>, String> {
    let table: toml::Table = config.parse().map_err(|error| format!("not TOML: {error}"))?;
    let mut merged: Vec<OsString> = args.iter().take(2).cloned().collect();
    for (key, value) in &table {
        push_option(&mut merged, key, value)?;
    }
    merged.extend(args.iter().skip(2).cloned());
    Ok(merged)
}

fn push_option(merged: &mut Vec<OsString>, key: &str, value: &toml::Value) -> Result<(), String> {
    let text = match value {
        toml::Value::Boolean(false) => return Ok(()),
        toml::Value::Boolean(true) => {
            merged.push(format!("--{key}").into());
            return Ok(());
        }
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            let items = items.ok_or_else(|| format!("`{key}` must be a list of text"))?;
            merged.extend(items.into_iter().map(|item| format!("--{key}={item}").into()));
            return Ok(());
        }
        toml::Value::Table(_) => return Err(format!("`{key}` is a table; expected a value")),
    };
    merged.push(format!("--{key}={text}").into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(parse_size("512M"), Ok(512 << 20));
        assert_eq!(parse_size("2GiB"), Ok(2 << 30));
        assert_eq!(parse_size("100"), Ok(100));
        for bad in ["", "0", "-1", "M", "1.5G", "99999999999T"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn typed_options_win_over_the_configuration() {
        let typed = ["mediaprep", "budget", "--model", "b", "x"].map(OsString::from);
        let merged =
            with_config(&typed, "model = 'a'\nhidden = true\ncompare = ['c', 'd']").unwrap();
        let cli = Cli::try_parse_from(merged).unwrap();
        let Command::Budget(budget) = cli.command else { panic!("another command") };
        assert_eq!(budget.rule.model.as_deref(), Some("b"));
        assert!(budget.inputs.hidden);
        assert_eq!(budget.view.compare, ["c", "d"]);
        assert!(with_config(&typed, "model = {}").unwrap_err().contains("model"));
    }
}
