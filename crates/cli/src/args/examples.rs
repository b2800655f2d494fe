//! The examples below the long help of each command. The first line is the heading.

pub(crate) const TOP: &str = "\
Examples:
  mediaprep budget photos talk.mp4               what it costs, and whether it fits
  mediaprep prepare photos --out ready           upright, right-sized, with the request
  mediaprep send photo.heic --prompt 'What is this?'

Exit status: 0 done, 1 an input failed or a limit or cap was exceeded, 2 it could not run, 130 on
Ctrl-C. Results go to standard output, everything else to standard error.";

pub(crate) const PROBE: &str = "\
Examples:
  mediaprep probe photos --json
  mediaprep probe papers --contents              which pages have text, which are scans
  find . -name '*.mp4' -print0 | mediaprep probe --files-from - -0 --format csv";

pub(crate) const BUDGET: &str = "\
Examples:
  mediaprep budget photos talk.mp4 --model gemini-2.5-pro
  mediaprep budget photos --compare gemini-2.5-flash,gemini-3.5-flash --top 10 --sort tokens
  mediaprep budget talk.mp4 --fps 0.5 --start 1:30 --end 12:00 --explain
  mediaprep budget photos --requests each --format csv > budget.csv
  mediaprep budget --facts facts.ndjson --format ndjson --max-tokens 200000";

pub(crate) const REPORT: &str = "\
Examples:
  mediaprep report photos talks --html budget.html
  mediaprep report photos --compare gemini-2.5-flash --requests each --html - > page.html";

pub(crate) const FIT: &str = "\
Examples:
  mediaprep fit photos talk.mp4 --max-tokens 100000
  mediaprep fit archive --max-cost 0.25 --weight '*.pdf=3' --keep 'scans/**'
  mediaprep fit talk.mp4 --max-tokens 50000 --allow clip,sound-only --without fps";

pub(crate) const PREPARE: &str = "\
Examples:
  mediaprep prepare photos --out ready --images tiles --prompt 'Which show a dog?' --labels
  mediaprep prepare talk.mp4 --out ready --video frames --fps 0.5 --dedupe
  mediaprep prepare report.pdf --out ready --pdf pages --pages 1-5,12- --pdf-text
  mediaprep prepare archive --out ready --batch --prompt 'Describe this.'
  mediaprep prepare archive --out ready --max-tokens 500000";

pub(crate) const SEND: &str = "\
Examples:
  mediaprep send photo.heic --prompt 'What is this?'
  mediaprep send talk.mp4 slides.pdf --prompt 'Compare.' --temperature 0.2 --record measured.toml
  mediaprep send photos --requests each --prompt 'Caption it.' --json > answers.ndjson
  mediaprep send photo.heic --prompt '?' --dry-run > request.json";

pub(crate) const VERIFY: &str = "\
Examples:
  mediaprep verify photos --meter count-tokens
  mediaprep verify talk.mp4 --record measured.toml";

pub(crate) const FILES: &str = "\
Examples:
  mediaprep files upload talk.mp4
  mediaprep files list --json
  mediaprep files delete --all";

pub(crate) const BOXES: &str = "\
Examples:
  mediaprep boxes --image photo.jpg --in answer.txt --draw boxes.png
  mediaprep boxes --image photo.jpg --part ready/media/photo-t03.jpg --in answer.txt --json";

pub(crate) const MODELS: &str = "\
Examples:
  mediaprep models
  mediaprep models gemini-2.5-pro
  mediaprep models gemini-2.5-pro --rules measured.toml";

pub(crate) const BENCH: &str = "\
Examples:
  mediaprep bench mixed --save before.json
  mediaprep bench mixed --baseline before.json --fail-slower
  mediaprep bench photos --stages images,tiles --repeat 9";

pub(crate) const COMPLETIONS: &str = "\
Examples:
  mediaprep completions bash > ~/.local/share/bash-completion/completions/mediaprep
  mediaprep completions fish > ~/.config/fish/completions/mediaprep.fish";

pub(crate) const MAN: &str = "\
Examples:
  mediaprep man > ~/.local/share/man/man1/mediaprep.1";
