//! Command lines as they stand in documents: as much of a shell's grammar as these use.

/// The simple commands of one line, each as its words: quotes are taken off, comments and
/// redirections dropped; `|`, `&&`, `||`, `;` and `&` end a command.
pub fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words) = (Vec::new(), Vec::new());
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => break,
            '|' | '&' | ';' => {
                commands.push(std::mem::take(&mut words));
                rest.len() - rest.trim_start_matches(['|', '&', ';']).len()
            }
            '<' | '>' => {
                let target = rest.trim_start_matches(['<', '>', '&']).trim_start();
                rest.len() - target.len() + word(target).1
            }
            _ => {
                let (word, length) = word(rest);
                words.push(word);
                length
            }
        };
        rest = rest[length..].trim_start();
    }
    commands.push(words);
    commands.retain(|words| !words.is_empty());
    commands
}

/// The arguments of a simple command that runs `program`, its name first, whatever runs it: `timeout`
/// and the like may stand in front.
pub fn arguments_of<'a>(program: &str, words: &'a [String]) -> Option<&'a [String]> {
    let at = words.iter().position(|word| word == program)?;
    (at == 0 || matches!(words[0].as_str(), "timeout" | "time" | "env")).then(|| &words[at..])
}

/// The word at the beginning, and how many bytes it has with its quotes.
fn word(text: &str) -> (String, usize) {
    let (mut word, mut quote, mut escaped) = (String::new(), None, false);
    for (at, letter) in text.char_indices() {
        match (letter, quote) {
            _ if escaped => {
                word.push(letter);
                escaped = false;
            }
            ('\\', None | Some('"')) => escaped = true,
            (_, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => word.push(letter),
            ('\'' | '"', None) => quote = Some(letter),
            (' ' | '|' | '&' | ';' | '<' | '>', None) => return (word, at),
            (_, None) => word.push(letter),
        }
    }
    (word, text.len())
}

#[cfg(test)]
mod tests {
    use super::{arguments_of, commands};

    #[test]
    fn lines_are_cut_into_commands_and_words() {
        let line = r#"a 'b | c' "d \" e" > out.txt && f --g='*.pdf=3' # h"#;
        assert_eq!(
            commands(line),
            [vec!["a", "b | c", "d \" e"], vec!["f", "--g=*.pdf=3"]].map(Vec::from)
        );
        assert_eq!(commands("a|b; c").len(), 3);
        assert!(commands("# a").is_empty());
        let timed = &commands("timeout -s KILL 0.8 mediaprep budget x")[0];
        assert_eq!(arguments_of("mediaprep", timed).unwrap(), ["mediaprep", "budget", "x"]);
        assert!(arguments_of("mediaprep", &commands("ls mediaprep")[0]).is_none());
    }
}
