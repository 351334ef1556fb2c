//! What the readers of XML files share: events without document types and unknown entities, attributes, text.

use std::io::{BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use crate::error::ReadError;

/// An XML text that is read event by event.
pub(crate) struct Markup {
    reader: quick_xml::Reader<BufReader<Box<dyn Read>>>,
    buffer: Vec<u8>,
}

/// What a reader of cells wants to know.
pub(crate) enum Part<'a> {
    /// An element begins; empty ones end at once.
    Begin(BytesStart<'a>),
    /// The element of this name ends.
    End(String),
    /// Text.
    Text(String),
    /// The end of the file.
    Over,
}

impl Markup {
    pub(crate) fn new(text: Box<dyn Read>) -> Self {
        let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(1 << 16, text));
        let config = reader.config_mut();
        config.check_end_names = false;
        config.expand_empty_elements = true;
        Self { reader, buffer: Vec::new() }
    }

    /// The next part.
    pub(crate) fn next(&mut self) -> Result<Part<'_>, ReadError> {
        loop {
            self.buffer.clear();
            // Borrowed for each turn anew, which a match on the event itself would not allow.
            let event = self.reader.read_event_into(&mut self.buffer).map_err(|_| ReadError::broken())?;
            match event.into_owned() {
                Event::Start(start) | Event::Empty(start) => return Ok(Part::Begin(start)),
                Event::End(end) => return Ok(Part::End(end.local_name().as_ref().to_owned())),
                Event::Text(text) => return Ok(Part::Text(text.xml10_content().into_owned())),
                Event::CData(text) => return Ok(Part::Text(text.xml10_content().into_owned())),
                Event::GeneralRef(entity) => {
                    let known = resolve_xml_entity(&entity).map(str::to_owned);
                    let text = known.or_else(|| entity.resolve_char_ref().ok().flatten().map(String::from));
                    return text.map(Part::Text).ok_or(ReadError::broken());
                }
                // Entities are declared there; no spreadsheet has one.
                Event::DocType(_) => return Err(ReadError::broken()),
                Event::Eof => return Ok(Part::Over),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
    }
}

/// An attribute by its local name.
pub(crate) fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, ReadError> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| ReadError::broken())?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::default()).map_err(|_| ReadError::broken())?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// An attribute that counts; `other` where there is none.
pub(crate) fn number(element: &BytesStart<'_>, name: &str, other: u32) -> Result<u32, ReadError> {
    match attribute(element, name)? {
        Some(value) => value.trim().parse().map_err(|_| ReadError::broken()),
        None => Ok(other),
    }
}
