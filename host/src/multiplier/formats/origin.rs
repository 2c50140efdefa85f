//! Where an exported multiplier comes from, as comments of other languages say it.

/// What is known of a multiplier's source.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin<'m> {
    pub provenance: Option<&'m str>,
    pub licence: Option<&'m str>,
}

impl Origin<'_> {
    /// Lines for a comment, none of which ends one.
    pub fn lines(&self) -> Vec<String> {
        let of = |what: &str, text: Option<&str>| {
            let text = text.filter(|text| !text.is_empty())?;
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            Some(format!("{what}: {}", text.replace("*/", "* /").replace("/*", "/ *")))
        };
        [of("From", self.provenance), of("Licence", self.licence)].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_ends_its_comment() {
        let origin = Origin { provenance: Some("a */ b\nmodule x; /* c"), licence: Some("") };
        assert_eq!(origin.lines(), ["From: a * / b module x; / * c"]);
    }
}
