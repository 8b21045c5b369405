//! What a test's gateway is configured with.

use std::fmt::Write;

use tempfile::TempDir;
use troupe_simulator::{MODELS, Simulator};

use super::App;

/// The configuration and environment of a gateway about to be started.
pub struct Builder {
    settings: String,
    providers: String,
    routes: String,
    env: Vec<(String, String)>,
    secrets: Vec<String>,
}

impl Default for Builder {
    fn default() -> Self {
        let mut builder = Self {
            settings: String::new(),
            providers: String::new(),
            routes: String::new(),
            env: Vec::new(),
            secrets: Vec::new(),
        };
        builder = builder
            .set("server.listen", "\"127.0.0.1:0\"")
            .set("server.workers", "2")
            // whatever leaks, leaks here
            .set("log.level", "\"debug\"");
        for (name, secret) in [
            ("TROUPE_ADMIN_PASSWORD", App::ADMIN_PASSWORD),
            ("TROUPE_ADMIN_TOKEN", App::ADMIN_TOKEN),
            ("TROUPE_API_KEY", App::API_KEY),
        ] {
            builder = builder.env(name, secret).secret(secret);
        }
        builder
    }
}

impl Builder {
    /// One setting: `set("supervision.fault_injection", "true")`, the value as TOML.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        // writing to a string cannot fail
        let _ = writeln!(self.settings, "{key} = {value}");
        self
    }

    /// One `[[provider]]`.
    pub fn provider(mut self, provider: Provider) -> Self {
        self.providers.push_str(&provider.toml());
        // of an `AK|SK` each half is a secret
        let parts = provider.tokens.iter().flat_map(|token| token.split('|'));
        self.secrets.extend(parts.map(str::to_owned));
        self
    }

    /// One `[[route]]`, the rest of it as TOML: `route("smart", "targets = [\"acme/gpt-4o\"]")`.
    pub fn route(mut self, model: &str, rest: &str) -> Self {
        // writing to a string cannot fail
        let _ = writeln!(self.routes, "[[route]]\nmodel = {model:?}\n{rest}");
        self
    }

    /// One variable of the environment, which is empty else.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A text that must not occur in the logs, or any other file but the configuration.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Writes the configuration into a new folder, without starting anything.
    pub fn folder(&self) -> TempDir {
        let folder = tempfile::Builder::new()
            .prefix("troupe-")
            .tempdir()
            .expect("a temporary folder");
        let text = format!("{}\n{}\n{}", self.settings, self.providers, self.routes);
        std::fs::write(folder.path().join("config.toml"), text).expect("its config.toml");
        folder
    }

    /// Starts the gateway and waits until it is ready.
    pub async fn start(self) -> App {
        App::start(self.folder(), self.env, self.secrets).await
    }
}

/// One `[[provider]]`, of kind `openai` unless it says otherwise.
pub struct Provider {
    name: String,
    kind: String,
    base_url: String,
    tokens: Vec<String>,
    models: Option<Vec<String>>,
    extra: String,
}

impl Provider {
    /// A simulator as the provider `acme`, with one token and the usual models.
    pub fn of(simulator: &Simulator) -> Self {
        Self::at(&simulator.base_url())
    }

    /// A provider `acme` at a base URL.
    pub fn at(base_url: &str) -> Self {
        Self {
            name: "acme".to_owned(),
            kind: "openai".to_owned(),
            base_url: base_url.to_owned(),
            tokens: vec!["sk-upstream-token-a".to_owned()],
            models: Some(MODELS.map(|model| format!("{model:?}")).to_vec()),
            extra: String::new(),
        }
    }

    /// The prefix of its models.
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The upstream protocol.
    pub fn kind(mut self, kind: &str) -> Self {
        kind.clone_into(&mut self.kind);
        self
    }

    /// Its tokens.
    pub fn tokens(mut self, tokens: &[&str]) -> Self {
        self.tokens = tokens.iter().map(|&token| token.to_owned()).collect();
        self
    }

    /// Models beside the usual ones.
    pub fn models(mut self, models: &[&str]) -> Self {
        let all = self.models.get_or_insert_default();
        all.extend(models.iter().map(|model| format!("{model:?}")));
        self
    }

    /// A model beside the usual ones, as TOML: `{ id = "x", upstream = "y" }`.
    pub fn model_table(mut self, table: &str) -> Self {
        self.models.get_or_insert_default().push(table.to_owned());
        self
    }

    /// Models as the upstream lists them.
    pub fn models_of_upstream(mut self) -> Self {
        self.models = None;
        self
    }

    /// Any other key: `with("pool", "{ max_wait_ms = 0 }")`, the value as TOML.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        // writing to a string cannot fail
        let _ = writeln!(self.extra, "{key} = {value}");
        self
    }

    fn toml(&self) -> String {
        let models = match &self.models {
            Some(models) => format!("models = [{}]\n", models.join(", ")),
            None => String::new(),
        };
        format!(
            "[[provider]]\nname = {:?}\nkind = {:?}\nbase_url = {:?}\ntokens = {:?}\n{models}{}",
            self.name, self.kind, self.base_url, self.tokens, self.extra
        )
    }
}
