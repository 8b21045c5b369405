//! Where media lie: `storage.media_url`.

use std::{fmt, path::PathBuf};

use derive_more::{Display, Error};
use url::Url;

use crate::secrets::Secret;

/// The `media_url` names no place. Says nothing of the keys in it.
#[derive(Debug, Clone, PartialEq, Eq, Display, Error)]
#[display("storage.media_url {reason}")]
pub struct BadMediaUrl {
    #[error(not(source))]
    pub reason: String,
}

impl BadMediaUrl {
    fn because(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { reason }
    }
}

/// Where media lie.
#[derive(Debug, Clone)]
pub enum Place {
    /// `file://data/media` is relative to the working directory, `file:///srv/media` absolute.
    Folder(PathBuf),
    /// `s3://bucket[/prefix]?endpoint=…&region=…&access_key=…&secret_key=…[&token=…][&path_style=true]`
    Bucket(BucketAddress),
}

/// A bucket of S3, or of a store that speaks the same protocol.
#[derive(Clone)]
pub struct BucketAddress {
    pub bucket: String,
    /// Before the names of all objects; may be empty.
    pub prefix: String,
    /// The store's own URL; none for Amazon's.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key: String,
    pub secret_key: Secret,
    /// Of temporary credentials.
    pub token: Option<Secret>,
    /// The bucket is in the path and not in the host's name.
    pub path_style: bool,
}

impl fmt::Debug for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

const KNOWN: [&str; 6] = [
    "endpoint",
    "region",
    "access_key",
    "secret_key",
    "token",
    "path_style",
];

impl Place {
    /// Reads a `media_url`. What it leaves out of a bucket's address comes from `variable`, the environment's
    /// usual `AWS_…` names.
    ///
    /// # Errors
    /// [`BadMediaUrl`].
    pub fn parse(
        media_url: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, BadMediaUrl> {
        if let Some(folder) = media_url.strip_prefix("file://") {
            return match folder {
                "" => Err(BadMediaUrl::because(
                    "names no folder, such as file://data/media",
                )),
                folder => Ok(Self::Folder(folder.into())),
            };
        }
        if !media_url.starts_with("s3://") {
            return Err(BadMediaUrl::because(
                "must be a folder, such as file://data/media, or a bucket, such as s3://bucket/prefix?region=eu-central-1",
            ));
        }
        let url = Url::parse(media_url)
            .map_err(|error| BadMediaUrl::because(format!("is no URL: {error}")))?;
        bucket(&url, variable).map(Self::Bucket)
    }
}

fn bucket(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<BucketAddress, BadMediaUrl> {
    if let Some((unknown, _)) = url.query_pairs().find(|(key, _)| !KNOWN.contains(&&**key)) {
        let known = KNOWN.join(", ");
        return Err(BadMediaUrl::because(format!(
            "has the unknown parameter `{unknown}`, known are {known}"
        )));
    }
    let given = |key: &str, names: &[&str]| {
        let in_url = url.query_pairs().find(|(name, _)| name == key);
        in_url
            .map(|(_, value)| value.into_owned())
            .or_else(|| names.iter().find_map(|name| variable(name)))
            .filter(|value| !value.is_empty())
    };
    let needed = |key: &str, name: &str| {
        given(key, &[name])
            .ok_or_else(|| BadMediaUrl::because(format!("needs `{key}`, there or in {name}")))
    };
    let endpoint = given("endpoint", &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]);
    if let Some(endpoint) = &endpoint
        && !Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        return Err(BadMediaUrl::because(
            "has an `endpoint` that is no http or https URL",
        ));
    }
    let path_style = match given("path_style", &[]).as_deref() {
        Some("true") => true,
        Some("false") => false,
        // what most stores beside Amazon's own need
        None => endpoint.is_some(),
        Some(_) => {
            return Err(BadMediaUrl::because(
                "has a `path_style` that is neither true nor false",
            ));
        }
    };
    Ok(BucketAddress {
        bucket: url
            .host_str()
            .filter(|host| !host.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| BadMediaUrl::because("names no bucket, such as s3://bucket"))?,
        prefix: url.path().trim_matches('/').to_owned(),
        endpoint,
        region: given("region", &["AWS_REGION", "AWS_DEFAULT_REGION"])
            .unwrap_or_else(|| "us-east-1".to_owned()),
        access_key: needed("access_key", "AWS_ACCESS_KEY_ID")?,
        secret_key: needed("secret_key", "AWS_SECRET_ACCESS_KEY")?.into(),
        token: given("token", &["AWS_SESSION_TOKEN"]).map(Secret::from),
        path_style,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    fn bucket_of(url: &str, variable: impl Fn(&str) -> Option<String>) -> BucketAddress {
        match Place::parse(url, variable).unwrap() {
            Place::Bucket(bucket) => bucket,
            Place::Folder(_) => panic!("a folder"),
        }
    }

    #[test]
    fn a_bucket_has_its_keys_in_the_url_or_the_environment() {
        let url =
            "s3://pictures/a/b?endpoint=http://127.0.0.1:9000&access_key=AK&secret_key=hunter2";
        let bucket = bucket_of(url, none);
        assert_eq!(
            (bucket.bucket.as_str(), bucket.prefix.as_str()),
            ("pictures", "a/b")
        );
        assert_eq!(
            (bucket.region.as_str(), bucket.path_style),
            ("us-east-1", true)
        );
        assert!(!format!("{bucket:?}").contains("hunter2"));

        let from_environment = bucket_of("s3://pictures", |name| match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            "AWS_REGION" => Some("eu-west-1".to_owned()),
            _ => None,
        });
        assert_eq!(
            (
                from_environment.region.as_str(),
                from_environment.path_style
            ),
            ("eu-west-1", false)
        );
    }

    #[test]
    fn other_urls_are_refused_with_what_to_do_and_without_keys() {
        for (url, hint) in [
            ("", "file://data/media"),
            ("data/media", "file://data/media"),
            ("file://", "file://data/media"),
            ("s3://", "s3://bucket"),
            ("s3://b?secret_key=hunter2", "AWS_ACCESS_KEY_ID"),
            ("s3://b?access_key=hunter2", "AWS_SECRET_ACCESS_KEY"),
            ("s3://b?acces_key=hunter2", "known are endpoint"),
            (
                "s3://b?access_key=hunter2&secret_key=hunter2&endpoint=minio:9000",
                "endpoint",
            ),
            (
                "s3://b?access_key=hunter2&secret_key=hunter2&path_style=yes",
                "true nor false",
            ),
        ] {
            let error = Place::parse(url, none).unwrap_err().to_string();
            assert!(
                error.contains(hint) && !error.contains("hunter2"),
                "{url}: {error}"
            );
        }
    }
}
