use super::*;
use proptest::prelude::*;
use skimp_runtime::protocol::encode;
use std::io;

/// A board made of a function from requests to replies, on a line that may spoil what passes.
struct Fake<F> {
    answer: F,
    decoder: Decoder,
    outbox: VecDeque<u8>,
}

impl<F> std::fmt::Debug for Fake<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl<F: FnMut(Request<'_>) -> Option<Reply>> Fake<F> {
    fn new(answer: F) -> Self {
        Self { answer, decoder: Decoder::new(), outbox: VecDeque::new() }
    }
}

impl<F: FnMut(Request<'_>) -> Option<Reply>> Link for Fake<F> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            let Some(Ok(frame)) = self.decoder.push(byte) else { continue };
            if let Some(reply) = (self.answer)(frame.message().unwrap()) {
                let mut buffer = [0; MAX_FRAME_BYTES];
                self.outbox.extend(encode(frame.sequence, &reply, &mut buffer).unwrap());
            }
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _deadline: Instant) -> io::Result<usize> {
        let bytes = self.outbox.len().min(buffer.len()).min(5);
        if bytes == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        buffer.iter_mut().zip(self.outbox.drain(..bytes)).for_each(|(place, byte)| *place = byte);
        Ok(bytes)
    }

    fn post_mortem(&mut self) -> String {
        "it was never alive".to_owned()
    }
}

fn introduction(version: u16, board: &str) -> Reply {
    Reply::Hello(DeviceInfo {
        version,
        board: board.try_into().unwrap(),
        counter: Counter::Cycles,
        counter_hz: 16_000_000,
        memory_bytes: 2000,
        image_capacity_bytes: 100,
    })
}

/// A board with a network of 600 inputs, 100 outputs and 3 layers.
fn well_behaved(request: Request<'_>) -> Option<Reply> {
    Some(match request {
        Request::Hello => introduction(protocol::VERSION, "fake"),
        Request::Load => {
            Reply::Loaded(NetworkInfo { input_bytes: 600, output_len: 100, layer_count: 3, arena_bytes: 10 })
        }
        Request::Input { .. } => Reply::Stored,
        Request::Infer => Reply::Inferred { ticks: 77 },
        Request::Logits { offset } => Reply::Logits((offset as i32..100).take(64).collect()),
        Request::LayerTicks { offset } => Reply::LayerTicks((offset..3).collect()),
        _ => Reply::Failed(Failure::UnknownRequest),
    })
}

fn connect<F: FnMut(Request<'_>) -> Option<Reply>>(answer: F) -> Result<Device<Fake<F>>> {
    Device::connect(Fake::new(answer), "fake")
}

#[test]
fn an_inference_collects_its_pages() {
    let mut stored = 0;
    let mut device = connect(move |request| {
        if let Request::Input { offset_bytes, bytes } = request {
            assert_eq!(offset_bytes, stored);
            stored += bytes.len() as u32;
        }
        well_behaved(request)
    })
    .unwrap();
    device.load().unwrap();
    let inference = device.infer(&[1; 600]).unwrap();
    assert_eq!(inference, Inference { logits: (0..100).collect(), ticks: 77 });
    assert_eq!(device.layer_ticks().unwrap(), [0, 1, 2]);
    assert_eq!((device.cycles(77), device.insns(77)), (Some(77), None));
}

#[test]
fn an_input_of_another_length_is_refused() {
    let mut device = connect(well_behaved).unwrap();
    assert!(device.infer(&[]).unwrap_err().to_string().contains("no network has been loaded"));
    device.load().unwrap();
    let message = device.infer(&[0; 601]).unwrap_err().to_string();
    assert_eq!(message, "an input of 601 bytes, the network takes 600");
}

#[test]
fn other_boards_and_versions_are_told_apart() {
    let message = connect(|_| Some(introduction(9, "fake"))).unwrap_err().to_string();
    assert!(message.contains("protocol version 9"), "{message}");
    let message = connect(|_| Some(introduction(1, "cake"))).unwrap_err().to_string();
    assert_eq!(message, "fake: it says it is the board \"cake\"");
}

#[test]
fn a_lost_reply_is_asked_for_again() {
    let mut count = 0;
    let mut device = connect(move |request| {
        count += 1;
        if count % 2 == 0 { well_behaved(request) } else { None }
    })
    .unwrap();
    device.load().unwrap();
}

#[test]
fn silence_is_an_error_that_says_what_is_known() {
    let message = connect(|_| None).unwrap_err().to_string();
    assert_eq!(message, "fake: no answer within 0.0 s; it was never alive");
}

#[test]
fn a_bad_image_is_explained() {
    let mut device = connect(|request| match request {
        Request::Load => Some(Reply::Failed(Failure::BadImage("Magic".try_into().unwrap()))),
        other => well_behaved(other),
    })
    .unwrap();
    let message = device.load().unwrap_err().to_string();
    assert!(message.starts_with("fake: there is no usable image in its flash (Magic)"), "{message}");
}

#[test]
fn an_image_is_recognised_by_its_crc() {
    let mut device = connect(|request| match request {
        Request::ImageCrc { length_bytes } => {
            Some(Reply::ImageCrc(protocol::crc32(&[7; 100][..length_bytes as usize])))
        }
        other => well_behaved(other),
    })
    .unwrap();
    assert!(device.holds_image(&[7; 50]).unwrap());
    assert!(!device.holds_image(&[8; 50]).unwrap());
    assert!(!device.holds_image(&[7; 101]).unwrap());
}

proptest! {
    /// Whatever a board answers, the host returns.
    #[test]
    fn nonsense_gives_an_error_or_a_value(kind in 0u32..6, a in 0u32..700, b in prop_oneof![0u32..500, any::<u32>()]) {
        let mut device = connect(move |request| match (request, kind) {
            (Request::Hello, _) => well_behaved(request),
            (Request::Load, _) => Some(Reply::Loaded(NetworkInfo {
                input_bytes: a % 1000,
                output_len: b,
                layer_count: a,
                arena_bytes: b,
            })),
            (_, 0) => Some(Reply::Stored),
            (_, 1) => Some(Reply::Logits(Default::default())),
            (_, 2) => Some(Reply::LayerTicks((0..64).collect())),
            (_, 3) => Some(Reply::Failed(Failure::OutOfMemory { needed_bytes: a })),
            (_, 4) => None,
            _ => Some(Reply::ImageCrc(b)),
        })
        .unwrap();
        prop_assert_eq!(device.load().is_ok(), u64::from(a) + u64::from(b) <= 500);
        prop_assert!(device.infer(&vec![0; (a % 1000) as usize]).is_err());
        let _ = device.holds_image(&[1, 2, 3]);
    }
}
