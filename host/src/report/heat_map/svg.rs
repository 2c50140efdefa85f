//! The heat map as SVG.

use super::raster::encode;
use super::{Anchor, HeatMap, Kind, LEGEND_AT, LEGEND_WIDTH, MAP, MAP_AT, SIZE};
use crate::report::drawing::escape;
use std::fmt::Write;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:14px;fill:#1f2933}
.title{font-size:20px;font-weight:600}
.tick{fill:#52606d}
image{image-rendering:pixelated}
";

/// See [`HeatMap::to_svg`].
pub(super) fn document(map: &HeatMap) -> String {
    let (width, height) = SIZE;
    let mut svg = String::new();
    let mut add = |element: std::fmt::Arguments| {
        // Writing to a string can't fail.
        let _ = writeln!(svg, "{element}");
    };
    let name = escape(&map.title);
    add(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>{name}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
    ));
    let legend = HeatMap::legend_pixels();
    let images = [
        (MAP_AT.0, MAP, encode(&map.map_pixels(), (MAP, MAP))),
        (LEGEND_AT, LEGEND_WIDTH, encode(&legend, (1, legend.len()))),
    ];
    for (x, width, png) in images {
        add(format_args!(
            "<image x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{MAP}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>",
            MAP_AT.1,
            base64(&png)
        ));
    }
    for bar in map.bars() {
        add(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#1f2933\"/>",
            bar.x, bar.y, bar.width, bar.height
        ));
    }
    for label in map.labels() {
        let class = match label.kind {
            Kind::Title => " class=\"title\"",
            Kind::Axis => "",
            Kind::Tick => " class=\"tick\"",
        };
        let anchor = match label.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        add(format_args!(
            "<text{class} x=\"{}\" y=\"{}\"{anchor}>{}</text>",
            label.x,
            label.y,
            escape(&label.text)
        ));
    }
    svg.push_str("</svg>\n");
    svg
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let used = digit <= chunk.len();
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if used { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::decode;
    use super::*;
    use crate::multiplier::TruthTable;

    #[test]
    fn base64_is_that_of_the_standard_s_examples() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0x00]), "+/8A");
    }

    #[test]
    fn a_document_has_the_map_the_legend_and_all_labels() {
        let table = TruthTable::from_fn(true, |a, w| (a * w) & !63).unwrap();
        let map = HeatMap::new("low & <rough>", &table);
        let svg = map.to_svg();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("<title>low &amp; &lt;rough&gt;</title>"));
        for text in [">weight<", ">activation<", ">error<", ">-128<", ">127<", ">-60<", ">0<", ">60<"] {
            assert!(svg.contains(text), "no {text}");
        }
        assert_eq!(svg.matches("data:image/png;base64,").count(), 2);
        assert!(svg.len() < 80_000, "{} bytes", svg.len());
        let (pixels, size) = decode(&encode(&map.map_pixels(), (MAP, MAP)));
        assert_eq!((pixels.len(), size), (MAP * MAP, (MAP, MAP)));
    }
}
