//! The heat map as pixels.

use super::font::{self, GLYPH};
use super::{Anchor, HeatMap, INK, Kind, LEGEND_AT, LEGEND_WIDTH, MAP, MAP_AT, NO_ERROR, SIZE, palette};

/// See [`HeatMap::to_png`].
pub(super) fn png(map: &HeatMap) -> Vec<u8> {
    let mut canvas = Canvas { pixels: vec![NO_ERROR; SIZE.0 * SIZE.1] };
    let errors = map.map_pixels();
    let legend = HeatMap::legend_pixels();
    for y in 0..MAP {
        for x in 0..MAP {
            canvas.set(MAP_AT.0 + x, MAP_AT.1 + y, errors[y * MAP + x]);
        }
        for x in 0..LEGEND_WIDTH {
            canvas.set(LEGEND_AT + x, MAP_AT.1 + y, legend[y * legend.len() / MAP]);
        }
    }
    for bar in map.bars() {
        for y in bar.y..bar.y + bar.height {
            (bar.x..bar.x + bar.width).for_each(|x| canvas.set(x, y, INK));
        }
    }
    for label in map.labels() {
        let size = if label.kind == Kind::Title { 3 } else { 2 };
        canvas.write(label.x, label.y, &label.text, label.anchor, size);
    }
    encode(&canvas.pixels, SIZE)
}

/// A PNG file of palette entries.
pub(super) fn encode(pixels: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette());
    encoder.set_compression(png::Compression::High);
    // Neighbouring palette entries are equal more often than they differ by a constant.
    encoder.set_filter(png::Filter::NoFilter);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("an image of its size, written to memory");
    file
}

/// Palette entries, row by row.
struct Canvas {
    pixels: Vec<u8>,
}

impl Canvas {
    /// Colours a pixel, if it is in the image.
    fn set(&mut self, x: usize, y: usize, entry: u8) {
        if x < SIZE.0
            && let Some(pixel) = self.pixels.get_mut(y * SIZE.0 + x)
        {
            *pixel = entry;
        }
    }

    /// Writes a line whose base is at `y`, each dot of the font `size` pixels wide and high.
    fn write(&mut self, x: usize, y: usize, text: &str, anchor: Anchor, size: usize) {
        let advance = (GLYPH.0 + 1) * size;
        let width = text.chars().count() * advance - if text.is_empty() { 0 } else { size };
        let left = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x.saturating_sub(width / 2),
            Anchor::End => x.saturating_sub(width),
        };
        let top = y.saturating_sub(GLYPH.1 * size);
        for (i, c) in text.chars().enumerate() {
            let rows = font::glyph(c);
            for (dy, dx) in (0..GLYPH.1 * size).flat_map(|dy| (0..GLYPH.0 * size).map(move |dx| (dy, dx))) {
                if rows[dy / size] >> (GLYPH.0 - 1 - dx / size) & 1 == 1 {
                    self.set(left + i * advance + dx, top + dy, INK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Columns with ink.
    fn inked(text: &str, anchor: Anchor, x: usize) -> (usize, usize) {
        let mut canvas = Canvas { pixels: vec![NO_ERROR; SIZE.0 * SIZE.1] };
        canvas.write(x, 100, text, anchor, 2);
        let inked: Vec<usize> = (0..SIZE.0 * SIZE.1).filter(|&i| canvas.pixels[i] == INK).collect();
        let columns = || inked.iter().map(|i| i % SIZE.0);
        assert!(inked.iter().all(|i| (86..100).contains(&(i / SIZE.0))), "above the base line");
        (columns().min().unwrap(), columns().max().unwrap())
    }

    #[test]
    fn text_is_where_its_anchor_says() {
        // H fills its width.
        assert_eq!(inked("HH", Anchor::Start, 300), (300, 321));
        assert_eq!(inked("HH", Anchor::End, 300), (278, 299));
        assert_eq!(inked("HH", Anchor::Middle, 300), (289, 310));
    }

    #[test]
    fn text_that_does_not_fit_is_cut_off() {
        let mut canvas = Canvas { pixels: vec![NO_ERROR; SIZE.0 * SIZE.1] };
        canvas.write(SIZE.0 - 5, 3, &"8".repeat(100), Anchor::Start, 3);
        canvas.write(0, SIZE.1 + 9, "", Anchor::End, 2);
        canvas.write(3, SIZE.1 + 9, "88", Anchor::End, 2);
        let left: Vec<u8> = canvas.pixels.chunks_exact(SIZE.0).map(|row| row[0]).collect();
        assert!(left[..30].iter().all(|&entry| entry == NO_ERROR), "no line runs on in the next");
    }
}
