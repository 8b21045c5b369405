//! The command line: one file per command.

mod admin;
mod check;
mod database;
mod doctor;
mod keys;
mod serve;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Loaded, Place, Problem, Sources, load},
    secret_key,
};

/// One self-hosted gateway for AI APIs.
#[derive(Debug, Parser)]
#[command(name = "troupe", version)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Global {
    /// The configuration file; ./config.toml where omitted and present
    #[arg(long, global = true, value_name = "FILE", env = "TROUPE_CONFIG")]
    config: Option<PathBuf>,
    /// Address and port to listen on, such as 0.0.0.0:8080
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// off, error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway (what happens without a command, too)
    Serve,
    /// List every problem of the configuration; binds and writes nothing
    Check,
    /// Check database, key-value store, providers, tokens, clock and disk
    Doctor,
    /// Make, list and revoke API keys; the server may run meanwhile
    #[command(subcommand)]
    Keys(keys::Command),
    /// Administer the installation
    #[command(subcommand)]
    Admin(admin::Command),
}

/// How a command ended, as the shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Ok = 0,
    /// It was tried and did not work.
    Failed = 1,
    /// The configuration has errors; nothing was tried.
    BadConfig = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What every command is given.
struct Context {
    loaded: Loaded,
    /// The file that was read, where there was one.
    file: Option<String>,
    environment: Vec<(String, String)>,
}

impl Context {
    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The installation's key, which is made where there is none yet.
    fn secret_key(&self) -> io::Result<[u8; 32]> {
        let variable = self.variable(secret_key::VARIABLE);
        let path = Path::new(&self.loaded.config.auth.secret_key_file);
        secret_key::load_or_make(variable, path).map_err(io::Error::other)
    }
}

/// Runs the command. `environment` holds the process's variables.
#[must_use]
pub fn run(cli: Cli, environment: Vec<(String, String)>) -> Exit {
    let mut out = io::stdout();
    match dispatch(cli, environment, &mut out) {
        Ok(exit) => exit,
        // whoever read our output has seen enough
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            Exit::Failed
        }
    }
}

fn dispatch(cli: Cli, environment: Vec<(String, String)>, out: &mut dyn Write) -> io::Result<Exit> {
    let command = cli.command.unwrap_or(Command::Serve);
    let context = match read(&cli.global, environment) {
        Ok(context) => context,
        Err(problem) => {
            writeln!(io::stderr(), "{problem}")?;
            return Ok(Exit::BadConfig);
        }
    };
    if let Command::Check = command {
        return check::run(&context, out);
    }
    if context.loaded.has_errors() {
        for problem in &context.loaded.problems {
            writeln!(io::stderr(), "{problem}")?;
        }
        return Ok(Exit::BadConfig);
    }
    match command {
        Command::Check => check::run(&context, out),
        Command::Doctor => doctor::run(&context, out),
        Command::Keys(command) => keys::run(command, &context, out),
        Command::Admin(command) => admin::run(&command, &context, out),
        Command::Serve => serve::run(context),
    }
}

/// Reads all sources of the configuration.
fn read(global: &Global, environment: Vec<(String, String)>) -> Result<Context, Problem> {
    let file = read_file(global.config.as_deref())?;
    let name = file.as_ref().map(|(name, _)| name.clone());
    let flags = [
        ("--listen", ["server", "listen"], &global.listen),
        ("--log-level", ["log", "level"], &global.log_level),
    ];
    let flags = flags
        .into_iter()
        .filter_map(|(flag, path, value)| Some((flag, path, value.clone()?)))
        .collect();
    let loaded = load(Sources {
        file,
        environment: environment.clone(),
        flags,
    });
    Ok(Context {
        loaded,
        file: name,
        environment,
    })
}

/// The name and text of the file that was asked for, else of `./config.toml` where there is one.
fn read_file(asked: Option<&Path>) -> Result<Option<(String, String)>, Problem> {
    let path = asked.unwrap_or(Path::new("config.toml"));
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((name, text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && asked.is_none() => Ok(None),
        Err(error) => {
            let message = format!("cannot read the configuration file: {error}");
            let place = Place::File {
                name: name.into(),
                line: 1,
                column: 1,
            };
            Err(Problem::error(place, "", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use troupe_actors::storage::config::StorageConfig;

    use super::*;

    /// What `troupe` with these arguments prints, and how it ends.
    pub(super) fn troupe(arguments: &[&str], environment: &[(&str, &str)]) -> (Exit, String) {
        tried(arguments, environment).unwrap()
    }

    /// As [`troupe`], for what may fail on the way.
    pub(super) fn tried(
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> io::Result<(Exit, String)> {
        let cli = Cli::parse_from(["troupe"].iter().chain(arguments));
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut out = Vec::new();
        let exit = dispatch(cli, environment, &mut out)?;
        Ok((exit, String::from_utf8(out).unwrap()))
    }

    /// A folder with a database and a secret key of its own, gone on drop.
    pub(super) struct Installation {
        folder: tempfile::TempDir,
        database: String,
        key: String,
    }

    impl Installation {
        pub fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let shown = folder.path().display().to_string();
            Self {
                folder,
                database: format!("sqlite://{shown}/troupe.db"),
                key: format!("{shown}/secret.key"),
            }
        }

        /// Variables that lead every command here.
        pub fn environment(&self) -> Vec<(&str, &str)> {
            vec![
                ("DATABASE_URL", &self.database),
                ("TROUPE__AUTH__SECRET_KEY_FILE", &self.key),
            ]
        }

        pub fn storage(&self) -> StorageConfig {
            StorageConfig {
                database_url: self.database.clone(),
                ..StorageConfig::default()
            }
        }

        pub fn secret_key(&self) -> PathBuf {
            self.folder.path().join("secret.key")
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let problem = read_file(Some(Path::new("/nonexistent/t.toml"))).unwrap_err();
        assert!(
            problem
                .to_string()
                .starts_with("/nonexistent/t.toml:1:1: error: cannot read")
        );
    }

    #[test]
    fn nothing_starts_on_a_bad_configuration() {
        let (exit, out) = troupe(&["serve", "--listen", "nowhere"], &[]);
        assert_eq!((exit, out.as_str()), (Exit::BadConfig, ""));
    }
}
