//! What a document of the project says: its fenced blocks, headings, links and code spans.

/// One document, its fenced blocks apart from its text.
#[derive(Debug, Default)]
pub struct Document {
    /// The lines outside fenced blocks.
    pub text: String,
    /// Each fenced block: the language behind the fence, and its lines.
    pub blocks: Vec<(String, String)>,
}

impl Document {
    /// Reads Markdown.
    pub fn parse(markdown: &str) -> Self {
        let mut document = Self::default();
        let mut is_fenced = false;
        for line in markdown.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (fence, is_fenced) {
                (Some(_), true) => is_fenced = false,
                (Some(language), false) => {
                    is_fenced = true;
                    document.blocks.push((language.trim().to_owned(), String::new()));
                }
                (None, true) => {
                    let (_, block) = document.blocks.last_mut().expect("a fence was opened");
                    *block += line;
                    block.push('\n');
                }
                (None, false) => {
                    document.text += line;
                    document.text.push('\n');
                }
            }
        }
        document
    }

    /// The anchors that the headings get: lower case, words joined by dashes, the rest dropped.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.text.lines().filter(|line| line.starts_with('#'));
        let titles = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        titles
            .map(|title| title.chars().filter(kept).collect::<String>().replace(' ', "-"))
            .collect()
    }

    /// The targets of the links.
    pub fn links(&self) -> Vec<&str> {
        let targets = self.text.split("](").skip(1);
        targets.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target).collect()
    }

    /// What stands between single backticks, lines joined.
    pub fn spans(&self) -> Vec<String> {
        let spans = self.text.split('`').skip(1).step_by(2);
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// The command lines of the blocks for a shell, continued lines joined: each line of `sh`, and
    /// those behind a `$` of `text`.
    pub fn command_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (language, block) in &self.blocks {
            let block = block.replace("\\\n", " ");
            let shown = |line: &str| match language.as_str() {
                "sh" => Some(line.to_owned()),
                "text" => line.strip_prefix("$ ").map(str::to_owned),
                _ => None,
            };
            lines.extend(block.lines().filter_map(shown));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    #[test]
    fn a_document_is_read() {
        let markdown = "# How *sure*, is it?\n[a](b.md#c) `x\ny`\n```sh\na \\\n b\n```\n\
            ```text\n$ c\nd\n# no heading\n```\n[e](f)\n";
        let document = Document::parse(markdown);
        assert_eq!(document.anchors(), ["how-sure-is-it"]);
        assert_eq!(document.links(), ["b.md#c", "f"]);
        assert_eq!(document.spans(), ["x y"]);
        assert_eq!(document.command_lines(), ["a   b", "c"]);
    }
}
