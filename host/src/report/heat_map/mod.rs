//! The errors of a multiplier as an image: one square for each pair of operands, its colour the signed error.

mod font;
mod raster;
mod svg;

use super::axis::Axis;
use crate::multiplier::TruthTable;

/// Operands on each axis.
const OPERANDS: usize = 256;
/// Pixels a side of an operand pair's square.
const SQUARE: usize = 3;
/// Pixels a side of the map.
const MAP: usize = OPERANDS * SQUARE;
/// Where the map begins, from the left and from the top.
const MAP_AT: (usize, usize) = (88, 76);
/// The legend's left end and width; it is as high as the map.
const LEGEND_AT: usize = MAP_AT.0 + MAP + 32;
const LEGEND_WIDTH: usize = 24;
/// Size of the whole image.
const SIZE: (usize, usize) = (LEGEND_AT + LEGEND_WIDTH + 92, MAP_AT.1 + MAP + 64);

/// Colours of the most negative error, half of it, none, half of the most positive error and all of it.
/// Products that come out too small are blue, too large ones red.
const STOPS: [[u8; 3]; 5] = [[8, 40, 100], [86, 152, 208], [255, 255, 255], [224, 112, 84], [104, 8, 24]];
/// Palette entry of text and lines; the colours of errors are those behind it.
const INK: u8 = 0;
const INK_COLOUR: [u8; 3] = [31, 41, 51];
/// Palette entry of no error, and of what is around the map.
const NO_ERROR: u8 = 128;

/// The errors `M(a, w) - a * w` over the plane of operands: activations to the right, weights upwards, both
/// by value. Colours are in proportion to the error, up to the worst one of either sign.
#[derive(Debug, Clone)]
pub struct HeatMap {
    title: String,
    signed: bool,
    /// `[weight from the largest down][activation from the smallest up]`.
    errors: Vec<i32>,
    /// The largest error, whatever its sign.
    worst: i32,
}

/// What is written and drawn around the map, the same in every format.
struct Label {
    x: usize,
    y: usize,
    text: String,
    anchor: Anchor,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Title,
    Axis,
    Tick,
}

/// A rectangle of ink.
struct Bar {
    x: usize,
    y: usize,
    width: usize,
    height: usize,
}

impl HeatMap {
    /// The map of `table`'s errors, under a title.
    pub fn new(title: &str, table: &TruthTable) -> HeatMap {
        let signed = table.is_signed();
        let first = if signed { -128 } else { 0 };
        let values = first..first + OPERANDS as i32;
        let error = |w: i32, a: i32| table.product(a as u8, w as u8) - a * w;
        let row = |w| values.clone().map(move |a| error(w, a));
        let errors: Vec<i32> = values.clone().rev().flat_map(row).collect();
        let worst = errors.iter().map(|error| error.abs()).max().unwrap_or(0);
        HeatMap { title: title.to_owned(), signed, errors, worst }
    }

    /// As a self-contained SVG document, in which the map is an embedded image of whole squares of pixels:
    /// some viewers blur images that they enlarge.
    pub fn to_svg(&self) -> String {
        svg::document(self)
    }

    /// As a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        raster::png(self)
    }

    /// The pixels of the map as palette entries, from the top left.
    fn map_pixels(&self) -> Vec<u8> {
        let rows = self.errors.chunks_exact(OPERANDS).flat_map(|row| {
            let entries = row.iter().map(|&error| self.entry(f64::from(error)));
            let pixels = entries.flat_map(|entry| [entry; SQUARE]);
            pixels.collect::<Vec<u8>>().repeat(SQUARE)
        });
        rows.collect()
    }

    /// The legend's column of palette entries, the most positive error first.
    fn legend_pixels() -> Vec<u8> {
        (1..=u8::MAX).rev().collect()
    }

    /// The palette entry of an error: 1 for the worst negative one, 255 for the worst positive one.
    fn entry(&self, error: f64) -> u8 {
        let share = if self.worst == 0 { 0.0 } else { error / f64::from(self.worst) };
        let steps = (share * 127.0).round() as i32;
        // However small, an error does not look like none.
        let steps = if steps == 0 && error != 0.0 { error.signum() as i32 } else { steps };
        (i32::from(NO_ERROR) + steps).clamp(1, 255) as u8
    }

    /// The labels of the image.
    fn labels(&self) -> Vec<Label> {
        let (left, top) = MAP_AT;
        let label = |x: usize, y: usize, text: String, anchor, kind| Label { x, y, text, anchor, kind };
        let mut labels = vec![
            label(left, 30, self.title.clone(), Anchor::Start, Kind::Title),
            label(left - 10, top - 16, "weight".into(), Anchor::End, Kind::Axis),
            label(left + MAP / 2, top + MAP + 50, "activation".into(), Anchor::Middle, Kind::Axis),
            label(LEGEND_AT, top - 16, "error".into(), Anchor::Start, Kind::Axis),
        ];
        for (place, value) in self.operand_ticks() {
            let (x, y) = (left + place, top + MAP - place);
            labels.push(label(x, top + MAP + 26, value.clone(), Anchor::Middle, Kind::Tick));
            labels.push(label(left - 10, y + 6, value, Anchor::End, Kind::Tick));
        }
        for (place, value) in self.error_ticks() {
            labels.push(label(
                LEGEND_AT + LEGEND_WIDTH + 10,
                top + place + 6,
                value,
                Anchor::Start,
                Kind::Tick,
            ));
        }
        labels
    }

    /// The frames and tick marks of the image.
    fn bars(&self) -> Vec<Bar> {
        let (left, top) = MAP_AT;
        let mut bars = Vec::new();
        for (left, width) in [(left, MAP), (LEGEND_AT, LEGEND_WIDTH)] {
            let sides = [(left - 1, top - 1, width + 2, 1), (left - 1, top + MAP, width + 2, 1)];
            let ends = [(left - 1, top - 1, 1, MAP + 2), (left + width, top - 1, 1, MAP + 2)];
            bars.extend(sides.into_iter().chain(ends));
        }
        for (place, _) in self.operand_ticks() {
            bars.push((left + place, top + MAP, 1, 6));
            bars.push((left - 6, top + MAP - place, 6, 1));
        }
        for (place, _) in self.error_ticks() {
            bars.push((LEGEND_AT + LEGEND_WIDTH, top + place, 6, 1));
        }
        bars.into_iter().map(|(x, y, width, height)| Bar { x, y, width, height }).collect()
    }

    /// Distances along an axis, to the middle of an operand's squares, and the operand's value.
    fn operand_ticks(&self) -> Vec<(usize, String)> {
        let first = if self.signed { -128 } else { 0 };
        let ticks = (0..OPERANDS).step_by(32).chain([OPERANDS - 1]);
        ticks.map(|i| (i * SQUARE + SQUARE / 2, (first + i as i32).to_string())).collect()
    }

    /// Distances from the legend's top, and the error there.
    fn error_ticks(&self) -> Vec<(usize, String)> {
        if self.worst == 0 {
            return vec![(MAP / 2, "0".into())];
        }
        let worst = f64::from(self.worst);
        let axis = Axis::covering(-worst, worst, 10);
        let inside = axis.ticks.iter().filter(|tick| tick.abs() <= worst);
        let place = |tick: f64| ((1.0 - tick / worst) / 2.0 * (MAP - 1) as f64).round() as usize;
        inside.map(|&tick| (place(tick), axis.text(tick))).collect()
    }
}

/// The palette: red, green and blue of each entry.
fn palette() -> Vec<u8> {
    let mut palette = INK_COLOUR.to_vec();
    for entry in 1..=255 {
        // From 0 to the number of stops less one.
        let at = f64::from(entry - 1) / 254.0 * (STOPS.len() - 1) as f64;
        let stop = (at as usize).min(STOPS.len() - 2);
        let share = at - stop as f64;
        let mix = |c: usize| {
            let [from, to] = [STOPS[stop][c], STOPS[stop + 1][c]].map(f64::from);
            (from + share * (to - from)).round() as u8
        };
        palette.extend((0..3).map(mix));
    }
    palette
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels of a PNG file as colours, and its size.
    pub(super) fn decode(png: &[u8]) -> (Vec<[u8; 3]>, (usize, usize)) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        let size = (info.width as usize, info.height as usize);
        (bytes[..size.0 * size.1 * 3].as_chunks::<3>().0.to_vec(), size)
    }

    fn some(signed: bool) -> HeatMap {
        let table = TruthTable::from_fn(signed, |a, w| match (a, w) {
            (10, 100) => 1000 - 400,
            (20, 3) => 60 + 200,
            (30, 3) => 91,
            _ => a * w,
        });
        HeatMap::new("one <multiplier>", &table.unwrap())
    }

    #[test]
    fn colours_go_from_blue_over_white_to_red() {
        let palette = palette();
        let colour = |entry: usize| &palette[3 * entry..][..3];
        assert_eq!(palette.len(), 3 * 256);
        assert_eq!((colour(1), colour(255)), (&STOPS[0][..], &STOPS[4][..]));
        assert_eq!(colour(NO_ERROR.into()), [255; 3]);
        assert!(colour(100)[2] > colour(100)[0] && colour(150)[0] > colour(150)[2]);
    }

    #[test]
    fn errors_are_where_their_operands_are() {
        for signed in [false, true] {
            let (pixels, size) = decode(&some(signed).to_png());
            assert_eq!(size, SIZE);
            let first = if signed { -128 } else { 0 };
            let at = |a: i32, w: i32| {
                let x = MAP_AT.0 + (a - first) as usize * SQUARE;
                let y = MAP_AT.1 + (first + 255 - w) as usize * SQUARE;
                let square = |(dx, dy): (usize, usize)| pixels[(y + dy) * SIZE.0 + x + dx];
                let colour = square((0, 0));
                assert!((0..9).all(|i| square((i % 3, i / 3)) == colour), "{a} * {w}");
                colour
            };
            assert_eq!(at(10, 100), STOPS[0], "the worst error is dark blue");
            let half = at(20, 3);
            assert!(half.iter().zip(STOPS[3]).all(|(&x, y)| x.abs_diff(y) < 4), "{half:?}");
            assert_ne!(at(30, 3), [255; 3], "an error of 1 can be told from none");
            assert_eq!((at(100, 10), at(0, 0), at(127, 127)), ([255; 3], [255; 3], [255; 3]));
        }
    }

    #[test]
    fn exact_multipliers_have_a_white_map_and_one_tick() {
        let map = HeatMap::new("exact", &TruthTable::exact(true));
        assert!(map.map_pixels().iter().all(|&entry| entry == NO_ERROR));
        assert_eq!(map.error_ticks(), [(MAP / 2, "0".to_owned())]);
        assert!(map.to_svg().contains(">0</text>"));
    }

    #[test]
    fn ticks_show_both_ends_and_round_errors() {
        let values = |ticks: Vec<(usize, String)>| ticks.into_iter().map(|t| t.1).collect::<Vec<_>>();
        let operands = values(some(true).operand_ticks());
        assert_eq!((&*operands[0], &*operands[8]), ("-128", "127"));
        let errors = some(false).error_ticks();
        assert_eq!(errors.first().unwrap(), &(MAP - 1, "-400".to_owned()));
        assert_eq!(errors.last().unwrap(), &(0, "400".to_owned()));
        assert!(errors.iter().any(|(place, text)| text == "0" && place.abs_diff(MAP / 2) <= 1));
    }
}
