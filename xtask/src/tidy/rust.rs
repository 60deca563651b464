//! A Rust file as tidy reads it: per line the code, the comments, and whether it is a test.
//!
//! Not a parser: it knows comments, strings, characters and braces, which is enough to tell a word
//! in the code from the same word in a string, and the tests of a file from the rest of it.

/// One line of a Rust file.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line {
    /// The code, with the inside of strings and characters blanked out.
    pub(crate) code: String,
    /// The text of comments, their slashes included.
    pub(crate) comment: String,
    /// Whether the line is part of a test.
    pub(crate) is_test: bool,
}

/// A Rust file, line by line.
#[derive(Debug)]
pub(crate) struct Rust {
    pub(crate) lines: Vec<Line>,
    /// Modules declared under `#[cfg(test)]` that live in files of their own.
    pub(crate) test_modules: Vec<String>,
}

/// What the next character is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Code,
    LineComment,
    BlockComment {
        depth: usize,
    },
    Text,
    /// A raw string that ends with a quote and so many `#`.
    RawText {
        hashes: usize,
    },
}

impl Rust {
    /// Reads `text`.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader { within: Within::Code, lines: vec![Line::default()] };
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            if c == '\n' {
                reader.end_line();
                at += 1;
            } else {
                at += reader.take(&chars[at..], at.checked_sub(1).map(|before| chars[before]));
            }
        }
        if text.ends_with('\n') {
            reader.lines.pop();
        }
        let mut rust = Self { lines: reader.lines, test_modules: Vec::new() };
        rust.mark_tests();
        rust
    }

    /// Line numbers (from 1) and lines.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines.iter().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Declares every line a test.
    pub(crate) fn is_all_test(&mut self) {
        for line in &mut self.lines {
            line.is_test = true;
        }
    }

    /// Marks what stands under `#[cfg(test)]`, to the closing brace or the semicolon.
    fn mark_tests(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            if !self.lines[at].code.contains("#[cfg(test)]") {
                at += 1;
                continue;
            }
            let mut depth = 0_usize;
            let mut opened = false;
            while let Some(line) = self.lines.get_mut(at) {
                line.is_test = true;
                for c in line.code.chars() {
                    depth = match c {
                        '{' => depth + 1,
                        '}' => depth.saturating_sub(1),
                        _ => depth,
                    };
                    opened |= c == '{';
                }
                let is_declaration = !opened && line.code.trim_end().ends_with(';');
                if is_declaration {
                    self.test_modules.extend(named(&line.code, "mod").map(str::to_owned));
                }
                at += 1;
                if is_declaration || (opened && depth == 0) {
                    break;
                }
            }
        }
    }
}

/// The names that follow the keyword `keyword` in a line of code: `named("fn a() {}", "fn")` is `a`.
pub(crate) fn named<'a>(code: &'a str, keyword: &'a str) -> impl Iterator<Item = &'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(keyword).filter_map(move |(at, _)| {
        let before = code[..at].chars().next_back();
        let rest = code[at + keyword.len()..].strip_prefix(' ')?.trim_start();
        let name = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        (before.is_none_or(|c| !is_word(c)) && !name.is_empty()).then_some(name)
    })
}

struct Reader {
    within: Within,
    lines: Vec<Line>,
}

impl Reader {
    fn line(&mut self) -> &mut Line {
        self.lines.last_mut().expect("there is always a line being read")
    }

    fn end_line(&mut self) {
        if self.within == Within::LineComment {
            self.within = Within::Code;
        }
        self.lines.push(Line::default());
    }

    /// Takes one token from the front of `rest`; how many characters it has.
    fn take(&mut self, rest: &[char], before: Option<char>) -> usize {
        match self.within {
            Within::Code => self.code(rest, before),
            Within::LineComment => {
                self.line().comment.push(rest[0]);
                1
            }
            Within::BlockComment { depth } => self.block_comment(rest, depth),
            Within::Text => match rest {
                ['\\', '\n', ..] | ['\\'] => 1,
                ['\\', ..] => 2,
                ['"', ..] => self.leave_text(1),
                _ => 1,
            },
            Within::RawText { hashes } => {
                let closes = rest[0] == '"' && hashes_at(&rest[1..]) >= hashes;
                if closes { self.leave_text(1 + hashes) } else { 1 }
            }
        }
    }

    fn leave_text(&mut self, length: usize) -> usize {
        self.within = Within::Code;
        self.line().code.push('"');
        length
    }

    fn block_comment(&mut self, rest: &[char], depth: usize) -> usize {
        match rest {
            ['*', '/', ..] => {
                self.within = match depth {
                    1 => Within::Code,
                    _ => Within::BlockComment { depth: depth - 1 },
                };
                2
            }
            ['/', '*', ..] => {
                self.within = Within::BlockComment { depth: depth + 1 };
                2
            }
            _ => {
                self.line().comment.push(rest[0]);
                1
            }
        }
    }

    fn code(&mut self, rest: &[char], before: Option<char>) -> usize {
        let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        match rest {
            ['/', '/', ..] => {
                self.within = Within::LineComment;
                self.line().comment.push_str("//");
                2
            }
            ['/', '*', ..] => {
                self.within = Within::BlockComment { depth: 1 };
                2
            }
            ['"', ..] => {
                self.within = Within::Text;
                self.line().code.push('"');
                1
            }
            ['r', after @ ..] if !in_word || before == Some('b') || before == Some('c') => {
                let hashes = hashes_at(after);
                self.line().code.push('r');
                if after.get(hashes) == Some(&'"') {
                    self.within = Within::RawText { hashes };
                    self.line().code.push('"');
                    2 + hashes
                } else {
                    1
                }
            }
            ['\'', after @ ..] => {
                let length = character(after);
                self.line().code.push_str(if length > 0 { "' '" } else { "'" });
                1 + length
            }
            [c, ..] => {
                self.line().code.push(*c);
                1
            }
            [] => 0,
        }
    }
}

fn hashes_at(rest: &[char]) -> usize {
    rest.iter().take_while(|c| **c == '#').count()
}

/// How long a character literal is after its first quote; 0 for a lifetime.
fn character(after: &[char]) -> usize {
    match after {
        ['\\', _, more @ ..] => 3 + more.iter().position(|c| *c == '\'').unwrap_or(0),
        [_, '\'', ..] => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        Rust::read(text).lines.into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn the_inside_of_strings_and_characters_is_not_code() {
        assert_eq!(
            code("let a = \"fn x\"; b('{', '\\'', '\\u{1}')"),
            ["let a = \"\"; b(' ', ' ', ' ')"]
        );
        assert_eq!(code("r#\"fn \"x\"\"# + br\"y\" + r#type"), ["r\"\" + br\"\" + r#type"]);
        assert_eq!(code("\"a\\\"b\\\n  c\" d"), ["\"", "\" d"]);
        assert_eq!(code("&'a str, &'static T"), ["&'a str, &'static T"]);
    }

    #[test]
    fn comments_are_kept_apart_from_code() {
        let rust = Rust::read("a // b \"c\n/* d /* e */\nf */ g\n");
        let comments: Vec<&str> = rust.lines.iter().map(|line| line.comment.as_str()).collect();
        assert_eq!(comments, ["// b \"c", " d  e ", "f "]);
        assert_eq!(rust.lines[2].code, " g");
    }

    #[test]
    fn what_stands_under_cfg_test_is_a_test() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\"; }\n}\nfn c() {}\n";
        let rust = Rust::read(text);
        let tests: Vec<bool> = rust.lines.iter().map(|line| line.is_test).collect();
        assert_eq!(tests, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_test_module_may_live_in_a_file_of_its_own() {
        let rust = Rust::read("#[cfg(test)]\nmod laws;\nfn a() {}\n");
        assert_eq!(rust.test_modules, ["laws"]);
        assert!(!rust.lines[2].is_test);
    }

    #[test]
    fn a_name_follows_its_keyword() {
        let names: Vec<&str> = named("pub fn a(f: fn(u8)) { defn b; fn  c() }", "fn").collect();
        assert_eq!(names, ["a", "c"]);
    }
}
