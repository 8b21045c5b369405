//! The words of the pages, in every language, from one catalogue each (Fluent).

use std::{borrow::Cow, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// For `lang` attributes, cookies and links.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Its own name for itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The language of a code such as `zh`, `zh-Hans-CN` or `en-GB`.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        let primary = code.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The best language for an `Accept-Language` header.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for entry in header.split(',') {
            let mut parts = entry.split(';');
            let Some(language) = parts.next().and_then(|code| Self::of_code(code.trim())) else {
                continue;
            };
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0_f32);
            if weight > 0.0 && best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The words of the pages, and those of the studio's API.
    fn catalogues(self) -> [&'static str; 2] {
        match self {
            Self::English => [
                include_str!("messages/en.ftl"),
                include_str!("messages/studio-api.en.ftl"),
            ],
            Self::Chinese => [
                include_str!("messages/zh-CN.ftl"),
                include_str!("messages/studio-api.zh-CN.ftl"),
            ],
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> =
            LazyLock::new(|| Language::ALL.map(load));
        match self {
            Self::English => &BUNDLES[0],
            Self::Chinese => &BUNDLES[1],
        }
    }

    /// A message without parts. A key that is in no catalogue comes back in brackets.
    #[must_use]
    pub fn say(self, key: &str) -> Cow<'static, str> {
        self.say_with(key, [])
    }

    /// A message with its parts filled in.
    #[must_use]
    pub fn say_with<'a>(
        self,
        key: &str,
        parts: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>,
    ) -> Cow<'static, str> {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            return format!("⟦{key}⟧").into();
        };
        let args: FluentArgs<'_> = parts
            .into_iter()
            .map(|(name, value)| (name, fluent_bundle::FluentValue::from(value)))
            .collect();
        // Parts that are missing show as their names, which the tests look for.
        let mut errors = Vec::new();
        bundle
            .format_pattern(pattern, Some(&args), &mut errors)
            .into_owned()
            .into()
    }
}

fn load(language: Language) -> FluentBundle<FluentResource> {
    let locales = language.code().parse().into_iter().collect();
    let mut bundle = FluentBundle::new_concurrent(locales);
    bundle.set_use_isolating(false);
    for catalogue in language.catalogues() {
        // What can be read of a catalogue is used; the tests let no faulty one pass.
        let resource =
            FluentResource::try_new(catalogue.to_owned()).unwrap_or_else(|(resource, _)| resource);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Each key with the parts that its message names.
    fn keys(language: Language) -> BTreeMap<String, Vec<String>> {
        let sources = language.catalogues();
        for source in sources {
            assert!(
                FluentResource::try_new(source.to_owned()).is_ok(),
                "{language:?}"
            );
        }
        let lines = sources.into_iter().flat_map(str::lines);
        let entries = lines.filter(|line| !line.starts_with(['#', ' ']));
        let mut found = BTreeMap::new();
        for (key, text) in entries.filter_map(|line| line.split_once(" = ")) {
            let mut parts: Vec<String> = text
                .split("{ $")
                .skip(1)
                .filter_map(|rest| Some(rest.split_once(" }")?.0.to_owned()))
                .collect();
            parts.sort();
            let earlier = found.insert(key.to_owned(), parts);
            assert_eq!(earlier, None, "{key} is there twice in {language:?}");
        }
        found
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_parts() {
        let english = keys(Language::English);
        assert!(english.len() > 40);
        assert_eq!(english, keys(Language::Chinese));
    }

    #[test]
    fn messages_are_said_in_the_language_asked_for() {
        let parts = || [("total", Cow::Borrowed("7"))];
        assert_eq!(Language::English.say_with("of-total", parts()), "of 7");
        assert_eq!(Language::Chinese.say_with("of-total", parts()), "共 7 个");
        assert_eq!(Language::English.say("no-such-key"), "⟦no-such-key⟧");
    }

    #[test]
    fn the_browsers_wish_is_read() {
        for (header, wish) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Language::Chinese)),
            ("fr, en-GB;q=0.5, zh;q=0.4", Some(Language::English)),
            ("en;q=0, zh", Some(Language::Chinese)),
            ("de", None),
            ("", None),
        ] {
            assert_eq!(Language::accepted(header), wish, "{header}");
        }
    }
}
