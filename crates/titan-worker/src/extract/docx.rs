//! The text of a Word document: an archive with XML in it. Neither is believed about its size.

use std::io::{BufReader, Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use zip::ZipArchive;

use super::{Kept, Unreadable};

const BODY: &str = "word/document.xml";
/// Files of an archive.
const MOST_FILES: usize = 10_000;
/// Bytes of the XML: more than any text needs that is kept. An archive may say that it holds less than it does.
const MOST_XML: u64 = 64 << 20;

pub(super) fn docx(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    let damaged =
        |why: &dyn std::fmt::Display| Unreadable::because(format!("it is damaged, or no Word document: {why}"));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > MOST_FILES {
        return Err(Unreadable::because(format!(
            "it has {} files in it, and at most {MOST_FILES} are looked at",
            archive.len()
        )));
    }
    let body = archive.by_name(BODY).map_err(|error| damaged(&error))?;
    let mut reader = Reader::from_reader(BufReader::new(body.take(MOST_XML)));
    let mut buffer = Vec::new();
    // Text counts within w:t only; everything else is how it looks.
    let mut in_text = false;
    let mut ended = false;
    while !kept.is_full() {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|error| damaged(&error))? {
            Event::Start(element) if element.local_name().as_ref() == "t" => in_text = true,
            Event::End(element) => match element.local_name().as_ref() {
                "t" => in_text = false,
                "p" => kept.push("\n"),
                "tc" => kept.push(" "),
                "document" => ended = true,
                _ => {}
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                "tab" => kept.push("\t"),
                "br" | "cr" | "p" => kept.push("\n"),
                _ => {}
            },
            Event::Text(text) if in_text => kept.push(&text.xml10_content()),
            Event::CData(text) if in_text => kept.push(&text.xml10_content()),
            Event::GeneralRef(named) if in_text => {
                let sign = named.resolve_char_ref().map_err(|error| damaged(&error))?.map(String::from);
                kept.push(&sign.or_else(|| resolve_predefined_entity(&named).map(str::to_owned)).unwrap_or_default());
            }
            Event::Eof if ended => return Ok(()),
            Event::Eof => {
                let why = format!("its text ends in the middle, or has more than {} MiB", MOST_XML >> 20);
                return Err(Unreadable::because(why));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(name: &str, xml: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(xml).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<String, Unreadable> {
        let mut kept = Kept::default();
        docx(bytes, &mut kept)?;
        Ok(kept.text().text)
    }

    #[test]
    fn paragraphs_and_entities_are_read_and_nothing_else() {
        let xml = r#"<w:document xmlns:w="x"><w:body><w:p><w:r><w:t>Tea &amp; </w:t><w:tab/><w:t>milk &#233;</w:t></w:r></w:p>
            <w:p><w:instrText>HYPERLINK</w:instrText><w:t>Second</w:t></w:p></w:body></w:document>"#;
        assert_eq!(read(&archive(BODY, xml.as_bytes())).unwrap(), "Tea & \tmilk é\nSecond\n");
    }

    #[test]
    fn what_is_no_document_says_so() {
        assert!(read(b"PK\x03\x04 and then nothing").unwrap_err().0.contains("no Word document"));
        assert!(read(&archive("other.xml", b"<x/>")).unwrap_err().0.contains("no Word document"));
        assert!(read(&archive(BODY, b"<w:document><w:t>x")).unwrap_err().0.contains("ends in the middle"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let mut xml = b"<w:document><w:body><w:p>".to_vec();
        xml.resize(xml.len() + (80 << 20), b' ');
        let bomb = archive(BODY, &xml);
        assert!(bomb.len() < 1 << 20);
        assert!(read(&bomb).unwrap_err().0.contains("more than 64 MiB"));
    }
}
