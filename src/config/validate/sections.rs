//! What the values of each section must be.

use std::net::SocketAddr;

use troupe_actors::{
    accounts::config::{CallsConfig, KeysConfig, LimitsConfig},
    answers::AnswersConfig,
    credentials::config::PoolConfig,
    egress::{EgressConfig, Exempt},
    jobs::{JobsConfig, housekeeping::HousekeepingConfig, webhooks::WebhooksConfig},
    media::{config::MediaConfig, place::Place},
    pictures::PicturesConfig,
    providers::config::Timeouts,
    responses::config::ResponsesConfig,
    storage::{DatabaseUrl, config::StorageConfig, kv::KvUrl},
    supervision::config::SupervisionConfig,
    tokens::config::TokensConfig,
};
use url::Url;

use super::Check;
use crate::config::{AuthConfig, ServerConfig, StudioConfig};

/// A TLS connection to the other side of the world, and an answer.
const HOSTED_KV_MS: u64 = 2_000;
/// The longest wait that anybody could mean.
pub(super) const A_DAY_MS: u64 = 24 * 3_600 * 1_000;

impl Check<'_> {
    pub(super) fn server(&mut self, server: &ServerConfig) {
        self.within("server", |check| {
            if server.listen.parse::<SocketAddr>().is_err() {
                check.error(
                    "listen",
                    "expected an address and a port, such as 127.0.0.1:8080 or [::]:8080",
                );
            }
            if !server.public_url.is_empty() {
                check.url("public_url", &server.public_url, &["http", "https"]);
            }
            check.range("workers", server.workers, 0..=1_024);
            check.range("max_body_bytes", server.max_body_bytes, 1_024..=1 << 30);
            check.range("max_header_bytes", server.max_header_bytes, 1_024..=131_072);
            check.range("max_json_depth", server.max_json_depth, 8..=1_024);
            check.range("keep_alive_seconds", server.keep_alive_seconds, 0..=86_400);
            check.range("header_timeout_ms", server.header_timeout_ms, 1..=A_DAY_MS);
            check.range("body_timeout_ms", server.body_timeout_ms, 1..=A_DAY_MS);
            check.range("write_timeout_ms", server.write_timeout_ms, 0..=A_DAY_MS);
            check.range("max_connections", server.max_connections, 1..=1_000_000);
            check.range("drain_seconds", server.drain_seconds, 0..=86_400);
            check.range("ping_seconds", server.ping_seconds, 0..=86_400);
            check.range(
                "early_headers_seconds",
                server.early_headers_seconds,
                0..=86_400,
            );
            check.within("cors_origins", |check| {
                for (index, origin) in server.cors_origins.iter().enumerate() {
                    if origin != "*" && !is_origin(origin) {
                        let message =
                            format!("`{origin}` is no origin, such as https://chat.example.org");
                        check.error(&index.to_string(), message);
                    }
                }
            });
        });
    }

    pub(super) fn storage(&mut self, storage: &StorageConfig) {
        self.within("storage", |check| {
            if let Err(error) = DatabaseUrl::parse(&storage.database_url) {
                check.refused("database_url", "storage.database_url", &error.to_string());
            }
            match KvUrl::parse(&storage.kv_url) {
                Ok(url) if url.is_hosted() && storage.kv_timeout_ms < HOSTED_KV_MS => {
                    let message = format!(
                        "is short for a store on the internet, {HOSTED_KV_MS} or more would do"
                    );
                    check.warning("kv_timeout_ms", message);
                }
                Ok(_) => {}
                Err(error) => check.refused("kv_url", "storage.kv_url", &error.to_string()),
            }
            if let Err(error) = Place::parse(&storage.media_url, assumed_key) {
                check.refused("media_url", "storage.media_url", &error.to_string());
            }
            check.range("readers", storage.readers, 1..=64);
            check.range("query_timeout_ms", storage.query_timeout_ms, 1..=A_DAY_MS);
            check.range("busy_timeout_ms", storage.busy_timeout_ms, 0..=A_DAY_MS);
            check.range("kv_timeout_ms", storage.kv_timeout_ms, 1..=60_000);
            let (days, retention) = (
                storage.media_max_age_days,
                storage.media_min_retention_seconds,
            );
            check.range("media_max_age_days", days, 0..=36_500);
            check.range(
                "media_min_retention_seconds",
                retention,
                0..=36_500 * 86_400,
            );
            if days > 0 && days * 86_400 < retention {
                check.error(
                    "media_max_age_days",
                    "is less than media_min_retention_seconds",
                );
            }
        });
    }

    pub(super) fn media(&mut self, media: &MediaConfig, storage: &StorageConfig) {
        self.within("media", |check| {
            check.range("max_file_bytes", media.max_file_bytes, 1_024..=1 << 40);
            check.range("max_pixels", media.max_pixels, 1..=1 << 32);
            check.not_empty("spool_dir", &media.spool_dir);
            check.range("thumbnail_side", media.thumbnail_side, 16..=4_096);
            check.range("thumbnail_quality", media.thumbnail_quality, 1..=100);
            check.range("thumbnails_at_once", media.thumbnails_at_once, 1..=256);
            check.range("thumbnail_wait_ms", media.thumbnail_wait_ms, 1..=A_DAY_MS);
            check.range("thumbnail_memory", media.thumbnail_memory, 1 << 20..=1 << 40);
            if media.signed_links && storage.media_min_retention_seconds < 60 {
                check.error(
                    "signed_links",
                    "links would end at once: raise storage.media_min_retention_seconds to 60 at least",
                );
            }
        });
    }

    /// What the owner of a setting says of it, without the setting's full name in front.
    fn refused(&mut self, key: &str, full: &str, reason: &str) {
        let reason = reason.strip_prefix(full).unwrap_or(reason).trim_start();
        self.error(key, reason);
    }

    pub(super) fn auth(&mut self, auth: &AuthConfig) {
        self.within("auth", |check| {
            check.not_empty("secret_key_file", &auth.secret_key_file);
            check.not_empty("admin_user", &auth.admin_user);
        });
    }

    pub(super) fn supervision(&mut self, supervision: &SupervisionConfig) {
        self.within("supervision", |check| {
            check.range("backoff_min_ms", supervision.backoff_min_ms, 1..=A_DAY_MS);
            check.range("backoff_max_ms", supervision.backoff_max_ms, 1..=A_DAY_MS);
            if supervision.backoff_max_ms < supervision.backoff_min_ms {
                check.error("backoff_max_ms", "is less than backoff_min_ms");
            }
            check.range("intensity", supervision.intensity, 1..=1_000_000);
            check.range("period_seconds", supervision.period_seconds, 1..=86_400);
            let (intensity, period) = (
                supervision.group_intensity,
                supervision.group_period_seconds,
            );
            check.range("group_intensity", intensity, 1..=1_000_000);
            check.range("group_period_seconds", period, 1..=86_400);
            if supervision.never_up().is_none() {
                check.warning(
                    "intensity",
                    "is never reached by an actor that falls at every start, for the waits between its falls \
                     outgrow the window: lower this or backoff_max_ms, or raise period_seconds and group_period_seconds",
                );
            }
            check.range("freeze_seconds", supervision.freeze_seconds, 1..=86_400);
            check.range("ask_timeout_ms", supervision.ask_timeout_ms, 1..=A_DAY_MS);
            check.range("mailbox_limit", supervision.mailbox_limit, 1..=10_000_000);
            if supervision.fault_injection {
                check.warning(
                    "fault_injection",
                    "admins can make actors fail on purpose; meant for tests",
                );
            }
        });
    }

    pub(super) fn keys(&mut self, keys: &KeysConfig) {
        self.within("keys", |check| {
            check.range("refresh_ms", keys.refresh_ms, 100..=3_600_000);
            check.range("max_keys", keys.max_keys, 1..=10_000_000);
        });
    }

    pub(super) fn calls(&mut self, calls: &CallsConfig) {
        self.within("calls", |check| {
            check.not_empty("spool_dir", &calls.spool_dir);
            check.range("spool_max_bytes", calls.spool_max_bytes, 1 << 20..=1 << 40);
            check.range("flush_ms", calls.flush_ms, 1..=60_000);
            check.range("batch", calls.batch, 1..=100_000);
        });
    }

    pub(super) fn limits(&mut self, limits: &LimitsConfig) {
        self.within("limits", |check| {
            check.range("max_in_flight", limits.max_in_flight, 0..=1_000_000);
            check.range(
                "max_in_flight_per_app",
                limits.max_in_flight_per_app,
                0..=1_000_000,
            );
            check.range("max_wait_ms", limits.max_wait_ms, 0..=A_DAY_MS);
            check.range(
                "requests_per_minute",
                limits.requests_per_minute,
                0..=1_000_000_000,
            );
        });
    }

    pub(super) fn egress(&mut self, egress: &EgressConfig) {
        self.within("egress", |check| {
            check.within("allow_hosts", |check| {
                for (index, host) in egress.allow_hosts.iter().enumerate() {
                    if Exempt::parse(host).is_none() {
                        let message = format!(
                            "`{host}` is neither host nor host:port, such as files.example.org:8443"
                        );
                        check.error(&index.to_string(), message);
                    }
                }
            });
            check.range("max_redirects", egress.max_redirects, 0..=20);
            check.range("connect_ms", egress.connect_ms, 1..=A_DAY_MS);
            check.range("first_byte_ms", egress.first_byte_ms, 1..=A_DAY_MS);
            check.range("total_ms", egress.total_ms, 1..=A_DAY_MS);
            check.range("max_bytes", egress.max_bytes, 1_024..=1 << 40);
        });
    }

    pub(super) fn pictures(&mut self, pictures: &PicturesConfig) {
        self.within("pictures", |check| {
            check.range("quick_ms", pictures.quick_ms, 1..=A_DAY_MS);
            check.range("short_ms", pictures.short_ms, 1..=A_DAY_MS);
            check.range("long_ms", pictures.long_ms, 1..=A_DAY_MS);
            check.range("total_ms", pictures.total_ms, 1..=A_DAY_MS);
            check.range("video_total_ms", pictures.video_total_ms, 1..=A_DAY_MS);
            check.range("poll_failures", pictures.poll_failures, 0..=1_000);
            check.range("max_file_bytes", pictures.max_file_bytes, 1_024..=1 << 32);
            check.range("max_count", pictures.max_count, 1..=100);
            check.range("max_inputs", pictures.max_inputs, 1..=100);
            check.range("max_prompt_chars", pictures.max_prompt_chars, 1..=1_000_000);
        });
    }

    pub(super) fn jobs(&mut self, jobs: &JobsConfig) {
        self.within("jobs", |check| {
            for (key, value) in [
                ("max_running", jobs.max_running),
                ("max_running_per_provider", jobs.max_running_per_provider),
                ("max_running_per_app", jobs.max_running_per_app),
                ("max_queued", jobs.max_queued),
                ("max_queued_per_app", jobs.max_queued_per_app),
                ("streams_per_app", jobs.streams_per_app),
            ] {
                check.range(key, value, 1..=1_000_000);
            }
            check.range("max_attempts", jobs.max_attempts, 1..=100);
            check.range("retry_ms", jobs.retry_ms, 1..=A_DAY_MS);
            check.range("max_retry_ms", jobs.max_retry_ms, 1..=A_DAY_MS);
            check.range("max_hours", jobs.max_hours, 1..=8_760);
            check.range("patience_ms", jobs.patience_ms, 100..=A_DAY_MS);
            check.range("keep_alive_ms", jobs.keep_alive_ms, 100..=600_000);
            check.range("max_priority", jobs.max_priority, 0..=1_000);
            check.range("lease_ms", jobs.lease_ms, 1_000..=600_000);
            check.range("retention_hours", jobs.retention_hours, 1..=876_000);
        });
    }

    pub(super) fn housekeeping(&mut self, housekeeping: &HousekeepingConfig) {
        self.within("housekeeping", |check| {
            check.range("every_seconds", housekeeping.every_seconds, 1..=7 * 86_400);
            check.range("compare_hours", housekeeping.compare_hours, 1..=8_760);
            check.range(
                "grace_seconds",
                housekeeping.grace_seconds,
                60..=30 * 86_400,
            );
            check.range("batch", housekeeping.batch, 1..=1_000);
        });
    }

    pub(super) fn studio(&mut self, studio: &StudioConfig) {
        self.within("studio", |check| {
            check.range("session_hours", studio.session_hours, 1..=24 * 366);
            check.range("max_page", studio.max_page, 1..=1_000);
            check.range("max_tags", studio.max_tags, 1..=1_000);
            check.range("max_tag_chars", studio.max_tag_chars, 1..=1_000);
            check.range("sockets_per_app", studio.sockets_per_app, 1..=1_000_000);
            check.range("tasks_per_socket", studio.tasks_per_socket, 1..=10_000);
            let bytes = studio.socket_message_bytes;
            check.range("socket_message_bytes", bytes, 1_024..=16 << 20);
            check.range("socket_ping_seconds", studio.socket_ping_seconds, 1..=3_600);
            check.range(
                "socket_idle_seconds",
                studio.socket_idle_seconds,
                1..=86_400,
            );
            if studio.socket_idle_seconds <= studio.socket_ping_seconds {
                let message =
                    "must be more than socket_ping_seconds, or connections end between pings";
                check.error("socket_idle_seconds", message);
            }
        });
    }

    pub(super) fn webhooks(&mut self, webhooks: &WebhooksConfig) {
        self.within("webhooks", |check| {
            check.range("max_endpoints", webhooks.max_endpoints, 1..=1_000);
            for (key, value) in [
                ("max_running", webhooks.max_running),
                ("max_running_per_app", webhooks.max_running_per_app),
                (
                    "max_running_per_receiver",
                    webhooks.max_running_per_receiver,
                ),
            ] {
                check.range(key, value, 1..=1_000);
            }
            check.range("timeout_ms", webhooks.timeout_ms, 1..=600_000);
            check.range("max_answer_bytes", webhooks.max_answer_bytes, 0..=16 << 20);
            check.range("max_attempts", webhooks.max_attempts, 1..=100_000);
            check.range("retry_ms", webhooks.retry_ms, 1..=A_DAY_MS);
            check.range("max_retry_ms", webhooks.max_retry_ms, 1..=A_DAY_MS);
            check.range("max_age_hours", webhooks.max_age_hours, 1..=8_760);
            check.range("secret_grace_hours", webhooks.secret_grace_hours, 0..=8_760);
            check.range("retention_hours", webhooks.retention_hours, 1..=876_000);
            check.range(
                "dead_retention_hours",
                webhooks.dead_retention_hours,
                1..=876_000,
            );
        });
    }

    pub(super) fn token_counts(&mut self, tokens: &TokensConfig) {
        self.within("tokens", |check| {
            check.range("cache_entries", tokens.cache_entries, 0..=10_000_000);
        });
    }

    pub(super) fn responses(&mut self, responses: &ResponsesConfig) {
        self.within("responses", |check| {
            check.range("retention_hours", responses.retention_hours, 1..=876_000);
            check.range("max_chain", responses.max_chain, 1..=10_000);
            check.range("max_bytes", responses.max_bytes, 1_024..=256 << 20);
            check.range(
                "max_chain_bytes",
                responses.max_chain_bytes,
                1_024..=1 << 30,
            );
            if responses.max_chain_bytes < responses.max_bytes {
                check.error("max_chain_bytes", "is less than max_bytes");
            }
            check.range("sweep_ms", responses.sweep_ms, 1_000..=A_DAY_MS);
        });
    }

    pub(super) fn answers(&mut self, answers: &AnswersConfig) {
        self.within("answers", |check| {
            check.range("max_bytes", answers.max_bytes, 1_024..=1 << 28);
            check.range(
                "max_total_bytes",
                answers.max_total_bytes,
                1 << 20..=1 << 40,
            );
            if answers.max_total_bytes < answers.max_bytes {
                check.error("max_total_bytes", "is less than max_bytes");
            }
            check.range("retention_hours", answers.retention_hours, 1..=31 * 24);
            check.range("dedupe_window_ms", answers.dedupe_window_ms, 1..=60_000);
        });
    }

    pub(super) fn timeouts(&mut self, timeouts: &Timeouts) {
        let each = [
            ("connect_ms", timeouts.connect_ms, 1),
            ("first_byte_ms", timeouts.first_byte_ms, 1),
            ("first_event_ms", timeouts.first_event_ms, 0),
            ("idle_ms", timeouts.idle_ms, 1),
        ];
        self.range("total_ms", timeouts.total_ms, 1..=A_DAY_MS);
        for (key, value, least) in each {
            self.range(key, value, least..=A_DAY_MS);
            // what we assume is no news: only what somebody wrote is remarked on
            let written = self.tree.find(&self.path_to(key)).is_some();
            if written && value > timeouts.total_ms {
                self.warning(key, "never takes effect, since total_ms is shorter");
            }
        }
    }

    pub(super) fn pool(&mut self, pool: &PoolConfig) {
        self.range("max_wait_ms", pool.max_wait_ms, 0..=A_DAY_MS);
        self.range("max_attempts", pool.max_attempts, 1..=100);
        self.range("max_waiting", pool.max_waiting, 0..=1_000_000);
        self.range(
            "per_token_concurrency",
            pool.per_token_concurrency,
            0..=1_000_000,
        );
        self.range(
            "rate_limit_cooldown_ms",
            pool.rate_limit_cooldown_ms,
            1..=A_DAY_MS,
        );
        self.range("fault_cooldown_ms", pool.fault_cooldown_ms, 1..=A_DAY_MS);
        self.range("max_cooldown_ms", pool.max_cooldown_ms, 1..=A_DAY_MS);
        self.range(
            "quota_cooldown_ms",
            pool.quota_cooldown_ms,
            1..=31 * A_DAY_MS,
        );
        self.range("jitter", pool.jitter, 0.0..=1.0);
        self.range(
            "invalid_recheck_seconds",
            pool.invalid_recheck_seconds,
            1..=31 * 86_400,
        );
        self.range("breaker_threshold", pool.breaker_threshold, 1..=1_000_000);
        self.range("breaker_open_ms", pool.breaker_open_ms, 1..=A_DAY_MS);
        for (key, value) in [
            ("rate_limit_cooldown_ms", pool.rate_limit_cooldown_ms),
            ("fault_cooldown_ms", pool.fault_cooldown_ms),
        ] {
            let written = self.tree.find(&self.path_to(key)).is_some();
            if written && value > pool.max_cooldown_ms {
                self.warning(key, "is cut to max_cooldown_ms");
            }
        }
    }
}

/// The keys of a bucket may come from the environment of the process that serves.
fn assumed_key(name: &str) -> Option<String> {
    let is_key = matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY");
    is_key.then(|| "assumed".to_owned())
}

/// Scheme, host and port, and nothing after them.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
    })
}
