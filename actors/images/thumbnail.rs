//! The small version of a picture: made when it is wanted for the first time, and then kept as a file of its own.

use super::{Image, Images, ImagesError};
use crate::{
    media::{MediaName, Owner, Stored, ThumbnailError, ThumbnailKind},
    storage::queries::images,
};

impl Images {
    /// A picture's thumbnail; none where there is no picture to make one of: it is a film, or it was removed.
    ///
    /// # Errors
    /// [`ImagesError`].
    pub async fn thumbnail(
        &self,
        image: &Image,
        kind: ThumbnailKind,
    ) -> Result<Option<Stored>, ImagesError> {
        let (id, mime) = (image.id.clone(), kind.mime());
        let read = move |conn: &mut _| images::thumbnail(conn, &id, mime);
        if let Some(name) = self.database.read(read).await? {
            if let Some(stored) = self.media.open(&name).await {
                return Ok(Some(stored));
            }
            // it has made room for others
            let id = image.id.clone();
            let forget = move |conn: &mut _| images::drop_thumbnail(conn, &id, mime, &name);
            self.database.write(forget).await?;
        }
        self.make_thumbnail(image, kind).await
    }

    async fn make_thumbnail(
        &self,
        image: &Image,
        kind: ThumbnailKind,
    ) -> Result<Option<Stored>, ImagesError> {
        let Some(name) = MediaName::parse(&image.name) else {
            return Ok(None);
        };
        let made = match self.media.thumbnail(&name, kind).await {
            Ok(made) => made,
            Err(ThumbnailError::NotFound | ThumbnailError::NoPicture) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let owner = Owner {
            app_id: image.app_id.clone(),
            call_id: image.job_id.clone(),
        };
        let own = self.media.store(made.bytes, owner).await?.name.to_string();
        let (id, put) = (image.id.clone(), own.clone());
        let put = move |conn: &mut _| images::put_thumbnail(conn, &id, kind.mime(), &put);
        let in_force = self.database.write(put).await?;
        // somebody else was faster, or the picture has gone meanwhile
        if in_force.as_deref() != Some(own.as_str()) {
            self.media.discard(vec![own]).await?;
        }
        match in_force {
            Some(name) => Ok(self.media.open(&name).await),
            None => Ok(None),
        }
    }
}
