//! A transcript's file.

use std::fmt;

/// A file, taken apart.
pub struct Transcript {
    /// What it shows.
    about: String,
    pub sections: Vec<Section>,
}

/// What stands between two heads.
pub struct Section {
    /// Without the `=== `.
    pub head: String,
    /// Without blank lines around it.
    pub body: String,
}

const MARK: &str = "=== ";

impl Transcript {
    pub fn parse(text: &str) -> Self {
        let mut about = String::new();
        let mut sections: Vec<Section> = Vec::new();
        for line in text.lines() {
            if let Some(head) = line.strip_prefix(MARK) {
                let head = head.trim().to_owned();
                let body = String::new();
                sections.push(Section { head, body });
                continue;
            }
            let body = sections
                .last_mut()
                .map_or(&mut about, |section| &mut section.body);
            body.push_str(line);
            body.push('\n');
        }
        for section in &mut sections {
            section.body = section.body.trim_matches('\n').to_owned();
        }
        Self { about, sections }
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.about.trim_matches('\n'))?;
        for Section { head, body } in &self.sections {
            write!(f, "\n{MARK}{head}\n{body}\n")?;
        }
        Ok(())
    }
}
