//! The page: a template with the data inside, one file that needs nothing else.
//!
//! The template holds the word `{{DATA}}` once, in a script element of type `application/json`. What stands there is the JSON
//! of [`super::json`], in which no `<` is left, so that no text of a payload can close the element.

use std::fmt::{self, Write};

use super::Inspection;

const TEMPLATE: &str = include_str!("report.html");
const PLACE: &str = "{{DATA}}";

/// A page of more nodes than this is slow in a browser; smaller ones are summed up.
const MOST_NODES: usize = 20_000;

/// The page around `json`, which is data in the form of [`super::json`] with every `<` escaped.
pub fn write_page(json: &str, out: &mut impl Write) -> fmt::Result {
    let (before, after) = TEMPLATE.split_once(PLACE).unwrap_or((TEMPLATE, ""));
    out.write_str(before)?;
    out.write_str(json)?;
    out.write_str(after)
}

impl Inspection<'_> {
    /// Write a page that shows this payload.
    pub fn write_page(&self, title: &str, out: &mut impl Write) -> fmt::Result {
        let mut json = String::new();
        self.write_json(title, Some(MOST_NODES), &mut json)?;
        write_page(&json, out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Room, inspect};
    use super::*;

    #[test]
    fn a_payload_cannot_end_the_data_of_its_page() {
        let data = b"}\x8c\x09</script>\x8c\x04<!--s.";
        let mut page = String::new();
        inspect(data, Room::for_payload(data.len())).write_page("</script>", &mut page).unwrap();
        assert_eq!(TEMPLATE.matches(PLACE).count(), 1);
        assert_eq!(page.matches("</script>").count(), TEMPLATE.matches("</script>").count());
        assert!(page.contains("\\u003c/script>"));
    }
}
