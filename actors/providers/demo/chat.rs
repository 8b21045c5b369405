//! What `demo-chat` says: a helpful canned answer that reflects the question and shows the next step.

/// An answer in the pieces in which it is streamed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoAnswer {
    /// Word-like pieces; joined they are the whole text. One piece counts as one token.
    pub pieces: Vec<String>,
    /// An estimate: the prompt cut by the same rule as the answer.
    pub prompt_tokens: u64,
    /// The number of `pieces`.
    pub completion_tokens: u64,
    /// Whether `max_tokens` cut the answer short.
    pub truncated: bool,
}

impl DemoAnswer {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces.concat()
    }

    /// Cuts the answer after `max_tokens` pieces, as a real model would stop there.
    #[must_use]
    pub fn limited_to(mut self, max_tokens: u64) -> Self {
        if self.completion_tokens > max_tokens {
            self.pieces
                .truncate(usize::try_from(max_tokens).unwrap_or(usize::MAX));
            self.completion_tokens = max_tokens;
            self.truncated = true;
        }
        self
    }
}

/// The answer to the last user message. The same prompt always gets the same answer, in Chinese where
/// the prompt is mostly Chinese, else in English.
#[must_use]
pub fn answer(prompt: &str) -> DemoAnswer {
    let text = if is_mostly_chinese(prompt) {
        in_chinese(prompt)
    } else {
        in_english(prompt)
    };
    let pieces: Vec<String> = pieces(&text).map(str::to_owned).collect();
    DemoAnswer {
        prompt_tokens: estimate_tokens(prompt),
        completion_tokens: pieces.len() as u64,
        truncated: false,
        pieces,
    }
}

/// How many tokens a text is worth, roughly: one per short word, Chinese character or run of signs.
/// Good for a demo's usage figures, not for a bill.
#[must_use]
pub fn estimate_tokens(text: &str) -> u64 {
    pieces(text).count() as u64
}

const NEXT_STEP: &str = r#"```toml
[[provider]]
name = "openai"
preset = "openai"
tokens = ["sk-your-key"]
```"#;

fn in_english(prompt: &str) -> String {
    let opening = match (quote(prompt), is_greeting(prompt)) {
        (None, _) => "Your message was empty, so let me introduce myself.".to_owned(),
        (Some(_), true) => "Hello! It is good to meet you.".to_owned(),
        (Some(said), false) if said.ends_with('?') => format!("You asked: “{said}”"),
        (Some(said), false) => format!("You wrote: “{said}”"),
    };
    format!(
        "{opening}\n\n\
         I am Troupe's built-in demo model. I live inside the gateway, need no key and no network, and \
         give the same answer to the same message every time. So I cannot think your message through, \
         but everything around me is real: your API key was checked, a provider was chosen, this answer \
         came to you piece by piece, and the call is on record.\n\n\
         To talk to a model that thinks, add a provider to `config.toml` and start Troupe again:\n\n\
         {NEXT_STEP}\n\n\
         Then ask for `openai/gpt-4o-mini`, or any model of that provider, in place of \
         `demo/demo-chat`. Any service that speaks the OpenAI protocol works the same way. \
         For a picture that is really drawn from your words, send a prompt to `/v1/images/generations` \
         with the model `demo/demo-image`."
    )
}

fn in_chinese(prompt: &str) -> String {
    let opening = match (quote(prompt), is_greeting(prompt)) {
        (Some(said), false) if said.ends_with(['?', '？']) => format!("您问的是：“{said}”"),
        (Some(said), false) => format!("您写的是：“{said}”"),
        _ => "您好！很高兴认识您。".to_owned(),
    };
    format!(
        "{opening}\n\n\
         我是 Troupe 内置的演示模型。我就在网关里运行，不需要密钥，也不需要联网，同样的消息总会得到同样的回答。\
         所以我没法真正思考您的问题，但我周围的一切都是真的：您的 API 密钥已经过校验，网关选好了服务商，\
         这段回答是逐段流式传给您的，这次调用也已记录在案。\n\n\
         想和真正会思考的模型对话，请在 `config.toml` 里添加一个服务商，然后重新启动 Troupe：\n\n\
         {NEXT_STEP}\n\n\
         之后把 `demo/demo-chat` 换成 `openai/gpt-4o-mini`，或该服务商的任何模型即可。\
         凡是兼容 OpenAI 协议的服务，接法都一样。如果想看一张真正根据您的文字画出来的图，\
         请把提示词发到 `/v1/images/generations`，模型选 `demo/demo-image`。"
    )
}

/// The start of the prompt on one line, or nothing if it holds no visible text.
fn quote(prompt: &str) -> Option<String> {
    const LONGEST: usize = 160;
    // A prompt may be megabytes long; what is quoted is at its start.
    let start: String = prompt.trim_start().chars().take(LONGEST * 4).collect();
    let line = start.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return None;
    }
    let mut chars = line.chars();
    let mut said: String = chars.by_ref().take(LONGEST).collect();
    if chars.next().is_some() {
        said.push('…');
    }
    Some(said)
}

fn is_greeting(prompt: &str) -> bool {
    const GREETINGS: [&str; 12] = [
        "hi",
        "hello",
        "hey",
        "good morning",
        "good evening",
        "greetings",
        "ping",
        "你好",
        "您好",
        "嗨",
        "早上好",
        "晚上好",
    ];
    let bare = prompt
        .trim()
        .trim_end_matches(['!', '.', '?', '！', '。', '？', '~', ' ']);
    bare.len() <= 24 && GREETINGS.contains(&bare.to_lowercase().as_str())
}

fn is_mostly_chinese(text: &str) -> bool {
    let (mut chinese, mut other) = (0_usize, 0_usize);
    for c in text.chars().take(4_000).filter(|c| c.is_alphabetic()) {
        if is_han(c) {
            chinese += 1;
        } else {
            other += 1;
        }
    }
    // One Chinese character says about as much as four letters.
    chinese > 0 && chinese * 4 >= other
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

/// Cuts a text so that each piece is the white space before it plus a short word, one wide character
/// or a run of signs. Nothing is lost: the pieces joined are the text.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = piece_end(rest)?;
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn piece_end(text: &str) -> Option<usize> {
    const LONGEST_WORD: usize = 10;
    let visible = text.len() - text.trim_start().len();
    let Some(first) = text[visible..].chars().next() else {
        return (!text.is_empty()).then_some(text.len());
    };
    let first_end = visible + first.len_utf8();
    // Wide characters (CJK, kana, hangul, emoji) are a token or more each.
    if u32::from(first) >= 0x2e80 {
        return Some(first_end);
    }
    let joins = |c: char| {
        !c.is_whitespace()
            && u32::from(c) < 0x2e80
            && c.is_alphanumeric() == first.is_alphanumeric()
    };
    text[first_end..]
        .char_indices()
        .take(LONGEST_WORD - 1)
        .take_while(|(_, c)| joins(*c))
        .last()
        .map_or(Some(first_end), |(at, c)| {
            Some(first_end + at + c.len_utf8())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_question_gets_the_same_answer_and_is_reflected_in_it() {
        let first = answer("Why is the sky blue?");
        assert_eq!(first, answer("Why is the sky blue?"));
        assert!(
            first
                .text()
                .starts_with("You asked: “Why is the sky blue?”")
        );
        assert!(first.text().contains("[[provider]]"));
        assert_eq!(first.completion_tokens, first.pieces.len() as u64);
        assert_eq!(first.prompt_tokens, 6);
    }

    #[test]
    fn a_chinese_question_gets_a_chinese_answer() {
        let text = answer("天空为什么是蓝色的？请用 Rust 解释").text();
        assert!(text.starts_with("您写的是："), "{text}");
        assert!(answer("你好！").text().starts_with("您好！"));
        assert!(
            answer("translate 你好 into English please")
                .text()
                .starts_with("You wrote")
        );
    }

    #[test]
    fn greetings_and_empty_prompts_are_answered_in_kind() {
        assert!(answer(" Hello! ").text().starts_with("Hello!"));
        assert!(answer(" \n ").text().starts_with("Your message was empty"));
    }

    #[test]
    fn a_long_prompt_is_quoted_in_part() {
        let text = answer(&"word ".repeat(100_000)).text();
        assert!(text.len() < 2_000);
        assert!(text.contains("word…") || text.contains("…”"), "{text}");
    }

    #[test]
    fn pieces_lose_nothing_and_are_short() {
        for text in [
            "",
            "  ",
            "a b\n\n c ",
            "你好，world! 😀 internationalisation",
            "```toml\nx = 1\n```",
        ] {
            let cut: Vec<&str> = pieces(text).collect();
            assert_eq!(cut.concat(), text);
            assert!(
                cut.iter().all(|piece| piece.trim().chars().count() <= 10),
                "{cut:?}"
            );
        }
        assert_eq!(
            pieces("it is 你好").collect::<Vec<_>>(),
            ["it", " is", " 你", "好"]
        );
    }

    #[test]
    fn a_token_limit_cuts_the_answer() {
        let cut = answer("hi").limited_to(3);
        assert_eq!(
            (cut.pieces.len(), cut.completion_tokens, cut.truncated),
            (3, 3, true)
        );
        assert!(!answer("hi").limited_to(10_000).truncated);
    }
}
