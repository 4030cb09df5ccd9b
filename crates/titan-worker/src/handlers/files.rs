//! Which files of a conversation a model is shown; of the others it sees the name.

use std::collections::HashMap;

use titan_core::attachments::{self, Attachment};
use titan_core::db::PgConnection;
use titan_core::messages::Earlier;
use uuid::Uuid;

use super::takes::Images;

/// Of the files that earlier messages brought along, the newest so many are shown again; but for those of the last one, so many bytes.
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

/// The files of earlier messages that are shown again: those of the person's last message, which the next question is most likely
/// about, and the newest of the others.
fn shown_again(earlier: &[Earlier], images: Images) -> Vec<&Attachment> {
    let last = earlier.iter().rev().find(|earlier| !earlier.is_answer).map(|last| last.ordinal);
    let mut left = EARLIER_BYTES;
    let mut fits = |size: i64| {
        let fits = size <= left;
        left -= if fits { size } else { 0 };
        fits
    };
    let files = earlier.iter().rev().flat_map(|earlier| earlier.attachments.iter().map(|file| (earlier.ordinal, file)));
    files
        .filter(|(_, file)| images == Images::All || !is_image(file))
        .filter(|(ordinal, file)| Some(*ordinal) == last || fits(file.size))
        .map(|(_, file)| file)
        .take(EARLIER_FILES)
        .collect()
}

fn is_image(file: &Attachment) -> bool {
    file.media_type.starts_with("image/")
}

#[cfg(test)]
mod tests {
    use titan_core::ids;

    use super::*;

    fn file(name: &str, size: i64) -> Attachment {
        let media_type = if name.ends_with(".png") { "image/png" } else { "text/plain" };
        let created_at = chrono::DateTime::UNIX_EPOCH;
        Attachment { id: ids::new(), name: name.to_owned(), media_type: media_type.to_owned(), size, created_at }
    }

    fn said(ordinal: i64, attachments: Vec<Attachment>) -> Earlier {
        Earlier { ordinal, is_answer: ordinal % 2 == 0, content: String::new(), attachments }
    }

    #[test]
    fn the_last_files_are_shown_again_whatever_their_size_and_a_large_one_before_them_hides_no_other() {
        let earlier = [
            said(1, vec![file("old.txt", 10)]),
            said(2, Vec::new()),
            said(3, vec![file("large.txt", EARLIER_BYTES + 1), file("small.txt", EARLIER_BYTES - 10)]),
            said(4, Vec::new()),
            said(5, vec![file("photo.png", 3 << 20)]),
            said(6, Vec::new()),
        ];
        let names = |images| -> Vec<&str> {
            shown_again(&earlier, images).into_iter().map(|file| file.name.as_str()).collect()
        };
        assert_eq!(names(Images::All), ["photo.png", "small.txt", "old.txt"]);
        assert_eq!(names(Images::Own), ["small.txt", "old.txt"]);
    }
}
