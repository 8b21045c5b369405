//! Checks of the machine itself: the secret key's file, free space, and the clock.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use super::finding::Finding;
use crate::{config::Config, disk, open_files, secret_key};

const MIB: u64 = 1 << 20;
/// Below this much free space writes will fail soon.
const TOO_LITTLE: u64 = 100 * MIB;
/// Below this much it is time to act.
const LITTLE: u64 = 1_024 * MIB;

/// Whether there is a key, and whether its file is for its owner alone.
pub fn secret_key(variable: Option<&str>, path: &Path) -> Finding {
    let subject = "secret key";
    match secret_key::load(variable, path) {
        Err(error) => Finding::fail(
            subject,
            error.to_string(),
            "put the key back, or remove the file",
        ),
        Ok(None) => Finding::ok(
            subject,
            format!("{} is made at first start", path.display()),
        ),
        Ok(Some(_)) if variable.is_some_and(|text| !text.trim().is_empty()) => {
            Finding::ok(subject, format!("from {}", secret_key::VARIABLE))
        }
        Ok(Some(_)) => match fs::metadata(path) {
            Ok(metadata) => judge_mode(path, metadata.permissions().mode()),
            Err(error) => Finding::fail(subject, error.to_string(), "make the file readable"),
        },
    }
}

fn judge_mode(path: &Path, mode: u32) -> Finding {
    let shown = path.display();
    if mode & 0o077 == 0 {
        return Finding::ok("secret key", format!("{shown} is for its owner alone"));
    }
    let mode = mode & 0o777;
    Finding::warn(
        "secret key",
        format!("others may open {shown} (mode {mode:o})"),
        format!("chmod 600 {shown}"),
    )
}

/// Free space where data is kept, one finding per folder.
pub fn disk(config: &Config) -> Vec<Finding> {
    disk::data_folders(
        &config.storage,
        [&config.calls.spool_dir, &config.media.spool_dir],
    )
    .into_iter()
    .map(|folder| {
        let shown = folder.display().to_string();
        match disk::space(&folder) {
            Ok(space) => judge_space(&shown, space.free),
            Err(error) => Finding::warn("disk", format!("{shown}: {error}"), "check the folder"),
        }
    })
    .collect()
}

fn judge_space(folder: &str, free: u64) -> Finding {
    let seen = format!("{folder}: {} MiB free", free / MIB);
    let next = "make room, or move the data by the settings of [storage], [calls] and [media]";
    match free {
        0..TOO_LITTLE => Finding::fail("disk", seen, next),
        TOO_LITTLE..LITTLE => Finding::warn("disk", seen, next),
        _ => Finding::ok("disk", seen),
    }
}

/// Whether as many files and sockets may be open as the configured connections need.
pub fn open_files(allowed: Option<u64>, max_connections: usize) -> Finding {
    let (subject, needed) = ("open files", open_files::needed(max_connections));
    match allowed {
        Some(limit) if limit < needed => Finding::warn(
            subject,
            format!(
                "{limit} may be, enough for {} of {max_connections} connections",
                open_files::connections(limit)
            ),
            format!(
                "raise the hard limit to {needed} (LimitNOFILE= of systemd, ulimit -Hn), or lower server.max_connections"
            ),
        ),
        Some(limit) => Finding::ok(subject, format!("{limit} may be, {needed} are needed")),
        None => Finding::ok(subject, "as many as there is memory for"),
    }
}

/// Compares our clock with those of the providers that answered (ours minus theirs, in milliseconds), or
/// else with the newest record of the database (milliseconds since 1970).
pub fn clock(skews: &[i64], now: i64, newest_record: Option<i64>) -> Finding {
    let next = "set the clock, for example by NTP";
    // one provider's clock may be wrong, so the smallest difference counts
    if let Some(skew) = skews.iter().copied().min_by_key(|skew| skew.abs()) {
        let seconds = skew.abs() / 1_000;
        let way = if skew > 0 { "ahead of" } else { "behind" };
        return match seconds {
            0..=2 => Finding::ok("clock", "agrees with the providers"),
            3..=60 => Finding::warn("clock", format!("{seconds} s {way} the providers"), next),
            _ => Finding::fail("clock", format!("{seconds} s {way} the providers"), next),
        };
    }
    match newest_record {
        Some(newest) if newest > now + 2_000 => {
            let seconds = (newest - now) / 1_000;
            let seen = format!("{seconds} s behind the newest record of the database");
            Finding::fail("clock", seen, next)
        }
        _ => Finding::ok(
            "clock",
            "no provider to compare with, and no record from the future",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::State, *};

    #[test]
    fn the_clock_is_judged_by_the_provider_that_agrees_most() {
        assert_eq!(clock(&[-1_500, 90_000], 0, None).state, State::Ok);
        assert_eq!(clock(&[10_000], 0, None).state, State::Warn);
        let wrong = clock(&[-90_000], 0, Some(0));
        assert_eq!(wrong.state, State::Fail);
        assert!(wrong.seen.contains("90 s behind"), "{wrong}");
    }

    #[test]
    fn without_providers_the_database_tells_a_clock_that_went_back() {
        assert_eq!(clock(&[], 50_000, Some(40_000)).state, State::Ok);
        assert_eq!(clock(&[], 50_000, None).state, State::Ok);
        assert_eq!(clock(&[], 50_000, Some(60_000)).state, State::Fail);
    }

    #[test]
    fn space_is_judged_by_what_is_left() {
        assert_eq!(judge_space("data", 5 * LITTLE).state, State::Ok);
        assert_eq!(judge_space("data", LITTLE - 1).state, State::Warn);
        assert_eq!(judge_space("data", 0).state, State::Fail);
    }

    #[test]
    fn open_files_are_judged_by_the_connections() {
        assert_eq!(open_files(None, 10_000).state, State::Ok);
        assert_eq!(open_files(Some(20_256), 10_000).state, State::Ok);
        let few = open_files(Some(1_024), 10_000);
        assert_eq!(few.state, State::Warn);
        assert!(few.seen.contains("384 of 10000"), "{few}");
        assert!(few.next.contains("20256"), "{few}");
    }

    #[test]
    fn a_key_that_others_may_read_is_remarked_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        assert_eq!(secret_key(None, &path).state, State::Ok);
        secret_key::load_or_make(None, &path).unwrap();
        assert_eq!(secret_key(None, &path).state, State::Ok);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let finding = secret_key(None, &path);
        assert_eq!(finding.state, State::Warn);
        assert!(finding.next.starts_with("chmod 600 "));
        assert_eq!(secret_key(Some("short"), &path).state, State::Fail);
    }
}
