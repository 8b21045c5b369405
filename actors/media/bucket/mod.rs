//! Stored files in a bucket of S3, or of a store that speaks its protocol. An object's key is the prefix and
//! the name of the file that brought the bytes.

mod wire;

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt as _, sync::Arc, time::Duration};

use bytes::Bytes;
use derive_more::Debug;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt as _,
    PutMultipartOptions, PutOptions, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    path::Path,
};

use super::{
    blocking::off_thread,
    listing::Found,
    name::MediaName,
    place::{BadMediaUrl, BucketAddress},
};

/// A bucket. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bucket {
    #[debug("{store}")]
    store: Arc<AmazonS3>,
    prefix: Arc<str>,
}

/// What is sent at once; larger files go in parts of it. S3 takes parts from 5 MiB on, and 10 000 of them.
const PART: u64 = 8 << 20;
const RETRIES: usize = 3;
/// After this long a request is not tried again.
const RETRY_FOR: Duration = Duration::from_secs(30);

impl Bucket {
    /// The bucket of an address. Asks nothing of it yet.
    ///
    /// # Errors
    /// The address is none for the library.
    pub fn at(address: &BucketAddress) -> Result<Self, BadMediaUrl> {
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&address.bucket)
            .with_region(&address.region)
            .with_access_key_id(&address.access_key)
            .with_secret_access_key(address.secret_key.expose())
            .with_virtual_hosted_style_request(!address.path_style)
            .with_retry(retry)
            // not every store has it, and objects go one at a time
            .with_disable_bulk_delete(true)
            .with_http_connector(wire::Connector);
        if let Some(endpoint) = &address.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(token) = &address.token {
            builder = builder.with_token(token.expose());
        }
        let store = builder.build().map_err(|error| BadMediaUrl {
            reason: format!("cannot be used: {error}"),
        })?;
        Ok(Self {
            store: Arc::new(store),
            prefix: address.prefix.as_str().into(),
        })
    }

    /// Stores the file as an object; when this returns it is there.
    ///
    /// # Errors
    /// The store's; nothing is there then.
    pub async fn put(&self, key: &str, mime: &'static str, file: Arc<File>) -> io::Result<()> {
        let attributes = Attributes::from_iter([(Attribute::ContentType, mime)]);
        let (path, length) = (self.path(key), file.metadata()?.len());
        if length <= PART {
            let whole = read(&file, 0..length).await?;
            let put = self
                .store
                .put_opts(&path, whole, PutOptions::from(attributes));
            return put.await.map(drop).map_err(told);
        }
        let options = PutMultipartOptions::from(attributes);
        let begun = self.store.put_multipart_opts(&path, options).await;
        let mut upload = begun.map_err(told)?;
        let sent = send_parts(&mut *upload, &file, length).await;
        if sent.is_err() {
            // the first error is the one to report; what is left costs space until the bucket's own rules clear it
            let _ = upload.abort().await;
        }
        sent
    }

    /// Removes an object; one that is gone already is no error.
    ///
    /// # Errors
    /// The store's.
    pub async fn remove(&self, key: &str) -> io::Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(told(error)),
        }
    }

    /// An object's size.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or the store's.
    pub async fn size(&self, key: &str) -> io::Result<u64> {
        let found = self.store.head(&self.path(key)).await;
        found.map(|meta| meta.size).map_err(told)
    }

    /// All objects below the prefix, in no order.
    pub fn list(&self) -> BoxStream<'static, io::Result<Found>> {
        let prefix = (!self.prefix.is_empty()).then(|| Path::from(&*self.prefix));
        let objects = self.store.list(prefix.as_ref());
        let found = objects.filter_map(|object| async {
            let object = match object {
                Ok(object) => object,
                Err(error) => return Some(Err(told(error))),
            };
            let name = MediaName::parse(object.location.filename()?)?;
            Some(Ok(Found {
                name,
                bytes: object.size,
                at: object.last_modified.timestamp_millis(),
            }))
        });
        // the library's own must not be asked again after their end
        found.fuse().boxed()
    }

    /// The bytes of a range of an object, as they come.
    pub fn pieces(
        self,
        key: String,
        range: Range<u64>,
    ) -> impl Stream<Item = io::Result<Bytes>> + 'static {
        stream::once(async move {
            if range.is_empty() {
                return Ok(stream::empty().boxed());
            }
            let options = GetOptions {
                range: Some(GetRange::Bounded(range)),
                ..GetOptions::default()
            };
            let got = self.store.get_opts(&self.path(&key), options).await;
            Ok::<_, io::Error>(got.map_err(told)?.into_stream().map_err(told).boxed())
        })
        .try_flatten()
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }
}

async fn send_parts(
    upload: &mut dyn MultipartUpload,
    file: &Arc<File>,
    length: u64,
) -> io::Result<()> {
    let mut at = 0;
    while at < length {
        let end = length.min(at + PART);
        let part = read(file, at..end).await?;
        upload.put_part(part).await.map_err(told)?;
        at = end;
    }
    upload.complete().await.map(drop).map_err(told)
}

/// A part of the file, in memory.
async fn read(file: &Arc<File>, range: Range<u64>) -> io::Result<PutPayload> {
    let file = file.clone();
    off_thread(move || {
        let mut part = vec![0; (range.end - range.start) as usize];
        file.read_exact_at(&mut part, range.start)?;
        Ok(PutPayload::from(part))
    })
    .await
}

fn told(error: object_store::Error) -> io::Error {
    match error {
        object_store::Error::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, error),
        other => io::Error::other(other),
    }
}
