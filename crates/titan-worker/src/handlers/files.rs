//! Which files of a conversation a model is shown; of the others it sees the name.

use std::collections::HashMap;

use titan_core::attachments::{self, Attachment};
use titan_core::db::PgConnection;
use titan_core::messages::Earlier;
use uuid::Uuid;

use super::takes::Images;

/// Of the files that earlier messages brought along, the newest so many are shown again, up to so many bytes.
const EARLIER_FILES: usize = 8;
const EARLIER_BYTES: i64 = 2 << 20;

/// The bytes of the files that are shown.
pub(super) fn read(
    connection: &mut PgConnection,
    own: &[Attachment],
    earlier: &[Earlier],
    images: Images,
) -> titan_core::Result<HashMap<Uuid, Vec<u8>>> {
    let own = own.iter().filter(|file| images != Images::None || !is_image(file));
    let mut files = HashMap::new();
    for file in own.chain(shown_again(earlier, images)) {
        files.insert(file.id, attachments::content(connection, file.id)?);
    }
    Ok(files)
}

/// What the log says of images that the message brings along and the model does not take.
pub(super) fn not_shown(own: &[Attachment], images: Images) -> Option<String> {
    let names: Vec<&str> = own.iter().filter(|file| is_image(file)).map(|file| file.name.as_str()).collect();
    (images == Images::None && !names.is_empty())
        .then(|| format!("The model takes no images, and is not shown {}: choose one that does", names.join(", ")))
}

/// The files of earlier messages that are shown again, the newest first.
fn shown_again(earlier: &[Earlier], images: Images) -> impl Iterator<Item = &Attachment> {
    let mut left = EARLIER_BYTES;
    let files = earlier.iter().rev().flat_map(|earlier| &earlier.attachments).take(EARLIER_FILES);
    let files = files.take_while(move |file| {
        left -= file.size;
        left >= 0
    });
    files.filter(move |file| images == Images::All || !is_image(file))
}

fn is_image(file: &Attachment) -> bool {
    file.media_type.starts_with("image/")
}
