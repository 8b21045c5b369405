//! What of a request is counted.

/// The texts of a request, and how many messages, tools and images they belong to. Gathered by who knows the
/// dialect; takes as much memory as the texts have bytes.
#[derive(Clone, Default)]
pub struct Prompt {
    /// All texts, one behind the other.
    texts: String,
    /// Where in it each text ends.
    ends: Vec<usize>,
    pub messages: u64,
    pub tools: u64,
    pub images: u64,
}

impl Prompt {
    /// Adds a text that stands for itself: a message's part, the system's text, a tool's name, description or schema.
    pub fn text(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// The texts together, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.texts[begin..*end])
    }
}

/// Says how much there is, not what is said.
impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (texts, bytes) = (self.ends.len(), self.texts.len());
        write!(f, "Prompt({texts} texts, {bytes} bytes)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_went_in() {
        let mut prompt = Prompt::default();
        assert_eq!(prompt.texts().count(), 0);
        for text in ["a", "", "字b"] {
            prompt.text(text);
        }
        assert_eq!(prompt.texts().collect::<Vec<_>>(), ["a", "", "字b"]);
        assert_eq!(format!("{prompt:?}"), "Prompt(3 texts, 5 bytes)");
    }
}
