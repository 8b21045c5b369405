//! What the first start prints: the credentials that were made, and lines to paste.

use std::fmt;

/// Where a credential comes from, and so how it is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// Made just now; shown this once and never again.
    Made(String),
    /// The value of this variable, which its author knows.
    Variable(&'static str),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(_) => f.write_str("Made(…)"),
            Self::Variable(name) => write!(f, "Variable({name})"),
        }
    }
}

impl Credential {
    fn described(&self) -> String {
        match self {
            Self::Made(value) => value.clone(),
            Self::Variable(name) => format!("the value of {name}"),
        }
    }

    fn in_shell(&self) -> String {
        match self {
            Self::Made(value) => value.clone(),
            Self::Variable(name) => format!("${name}"),
        }
    }

    fn in_python(&self) -> String {
        match self {
            Self::Made(value) => format!("\"{value}\""),
            Self::Variable(name) => format!("os.environ[\"{name}\"]"),
        }
    }
}

/// What there is to tell at the first start.
#[derive(Debug, Clone)]
pub struct FirstStart {
    /// Where clients reach the gateway, without a slash at its end.
    pub url: String,
    pub admin_user: String,
    pub admin_password: Credential,
    /// Goes into `X-Admin-Token`.
    pub admin_token: Credential,
    pub api_key: Credential,
    /// A chat model that answers, such as `demo/chat`; none where the gateway did not come up.
    pub model: Option<String>,
}

impl fmt::Display for FirstStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(model) = &self.model else {
            writeln!(
                f,
                "Troupe did not start, but these credentials are in force from now on."
            )?;
            writeln!(f, "They are shown this once: keep them.\n")?;
            return self.credentials(f);
        };
        writeln!(
            f,
            "Troupe is ready. What follows is shown this once: keep it.\n"
        )?;
        self.credentials(f)?;
        self.curl(model, f)?;
        self.python(model, f)?;
        self.claude_code(model, f)
    }
}

impl FirstStart {
    fn credentials(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        writeln!(f, "  API            {url}/v1")?;
        writeln!(f, "  API key        {}", self.api_key.described())?;
        writeln!(f, "  Admin pages    {url}/admin")?;
        writeln!(f, "  Admin user     {}", self.admin_user)?;
        writeln!(f, "  Admin password {}", self.admin_password.described())?;
        writeln!(f, "  Admin token    {}", self.admin_token.described())
    }

    fn curl(&self, model: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, key) = (&self.url, self.api_key.in_shell());
        writeln!(f, "\ncurl:")?;
        writeln!(f, "  curl {url}/v1/chat/completions \\")?;
        writeln!(f, "    -H \"Authorization: Bearer {key}\" \\")?;
        writeln!(f, "    -H \"Content-Type: application/json\" \\")?;
        writeln!(
            f,
            "    -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'"
        )
    }

    fn python(&self, model: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, key) = (&self.url, self.api_key.in_python());
        writeln!(f, "\nPython (pip install openai):")?;
        if matches!(self.api_key, Credential::Variable(_)) {
            writeln!(f, "  import os")?;
        }
        writeln!(f, "  from openai import OpenAI")?;
        writeln!(f, "  client = OpenAI(base_url=\"{url}/v1\", api_key={key})")?;
        writeln!(
            f,
            "  print(client.chat.completions.create(model=\"{model}\", messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}]).choices[0].message.content)"
        )
    }

    fn claude_code(&self, model: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, key) = (&self.url, self.api_key.in_shell());
        writeln!(f, "\nClaude Code:")?;
        writeln!(
            f,
            "  ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN={key} ANTHROPIC_MODEL={model} claude"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(api_key: Credential) -> FirstStart {
        FirstStart {
            url: "http://127.0.0.1:8080".to_owned(),
            admin_user: "admin".to_owned(),
            admin_password: Credential::Made("pass-word".to_owned()),
            admin_token: Credential::Variable("TROUPE_ADMIN_TOKEN"),
            api_key,
            model: Some("demo/chat".to_owned()),
        }
    }

    #[test]
    fn what_was_made_is_shown_ready_to_paste() {
        let text = start(Credential::Made("tp-abc".to_owned())).to_string();
        for line in [
            "  Admin password pass-word\n",
            "  Admin token    the value of TROUPE_ADMIN_TOKEN\n",
            "  curl http://127.0.0.1:8080/v1/chat/completions \\\n",
            "Authorization: Bearer tp-abc\"",
            "OpenAI(base_url=\"http://127.0.0.1:8080/v1\", api_key=\"tp-abc\")",
            "ANTHROPIC_BASE_URL=http://127.0.0.1:8080 ANTHROPIC_AUTH_TOKEN=tp-abc ",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let body = text
            .split("-d '")
            .nth(1)
            .unwrap()
            .split('\'')
            .next()
            .unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["model"], "demo/chat");
    }

    #[test]
    fn a_start_that_failed_shows_the_credentials_all_the_same() {
        let failed = FirstStart {
            model: None,
            ..start(Credential::Made("tp-abc".to_owned()))
        };
        let text = failed.to_string();
        assert!(text.starts_with("Troupe did not start"), "{text}");
        for shown in ["tp-abc", "pass-word", "TROUPE_ADMIN_TOKEN"] {
            assert!(text.contains(shown), "{text}");
        }
        assert!(!text.contains("curl"), "{text}");
    }

    #[test]
    fn what_the_environment_holds_is_not_repeated() {
        let start = start(Credential::Variable("TROUPE_API_KEY"));
        let text = start.to_string();
        assert!(text.contains("Bearer $TROUPE_API_KEY\""));
        assert!(text.contains("api_key=os.environ[\"TROUPE_API_KEY\"]"));
        assert!(!format!("{start:?}").contains("pass-word"));
    }
}
