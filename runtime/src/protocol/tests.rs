use super::*;
use proptest::prelude::*;
extern crate std;

/// Feeds `bytes` and collects each frame's sequence number and reply, or the error.
fn replies(decoder: &mut Decoder, bytes: &[u8]) -> std::vec::Vec<Result<(u8, Option<Reply>), BadFrame>> {
    bytes
        .iter()
        .filter_map(|&byte| decoder.push(byte).map(|frame| frame.map(|f| (f.sequence, f.message()))))
        .collect()
}

fn failure() -> impl Strategy<Value = Failure> {
    prop_oneof![
        Just(Failure::BadFrame),
        Just(Failure::UnknownRequest),
        "[ -~]{0,40}".prop_map(|text| Failure::BadImage(fault(text))),
        any::<u32>().prop_map(|needed_bytes| Failure::OutOfMemory { needed_bytes }),
        Just(Failure::OutOfRange),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        ("[a-z0-9-]{0,32}", any::<u16>(), any::<[u32; 3]>()).prop_map(|(board, version, [a, b, c])| {
            Reply::Hello(DeviceInfo {
                version,
                board: String::try_from(board.as_str()).unwrap(),
                counter: Counter::Cycles,
                counter_hz: a,
                memory_bytes: b,
                image_capacity_bytes: c,
            })
        }),
        any::<[u32; 4]>().prop_map(|[input_bytes, output_len, layer_count, arena_bytes]| {
            Reply::Loaded(NetworkInfo { input_bytes, output_len, layer_count, arena_bytes })
        }),
        any::<u32>().prop_map(Reply::ImageCrc),
        Just(Reply::Stored),
        any::<u64>().prop_map(|ticks| Reply::Inferred { ticks }),
        prop::collection::vec(any::<i32>(), 0..=MAX_VALUES)
            .prop_map(|values| Reply::Logits(values.into_iter().collect())),
        prop::collection::vec(any::<u32>(), 0..=MAX_VALUES)
            .prop_map(|values| Reply::LayerTicks(values.into_iter().collect())),
        failure().prop_map(Reply::Failed),
    ]
}

proptest! {
    #[test]
    fn a_reply_survives_the_trip(sequence: u8, reply in reply()) {
        let mut buffer = [0; MAX_FRAME_BYTES];
        let frame = encode(sequence, &reply, &mut buffer).unwrap();
        prop_assert!(frame[..frame.len() - 1].iter().all(|&byte| byte != 0));
        prop_assert_eq!(replies(&mut Decoder::new(), frame), [Ok((sequence, Some(reply)))]);
    }

    #[test]
    fn an_input_survives_the_trip(
        sequence: u8,
        offset_bytes: u32,
        bytes in prop::collection::vec(any::<u8>(), 0..=MAX_INPUT_CHUNK_BYTES),
    ) {
        let request = Request::Input { offset_bytes, bytes: &bytes };
        let mut buffer = [0; MAX_FRAME_BYTES];
        let frame = encode(sequence, &request, &mut buffer).unwrap();
        let mut decoder = Decoder::new();
        let (last, others) = frame.split_last().unwrap();
        for &byte in others {
            prop_assert!(decoder.push(byte).is_none());
        }
        let frame = decoder.push(*last).unwrap().unwrap();
        prop_assert_eq!(frame.sequence, sequence);
        prop_assert_eq!(frame.message(), Some(request));
    }

    #[test]
    fn garbage_never_panics_and_the_next_frame_gets_through(
        garbage in prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..1500),
        reply in reply(),
    ) {
        let mut decoder = Decoder::new();
        replies(&mut decoder, &garbage);
        replies(&mut decoder, &[0]);
        let mut buffer = [0; MAX_FRAME_BYTES];
        let frame = encode(7, &reply, &mut buffer).unwrap();
        prop_assert_eq!(replies(&mut decoder, frame), [Ok((7, Some(reply)))]);
    }

    #[test]
    fn a_damaged_frame_is_reported(reply in reply(), place: prop::sample::Index, flip in 1u8..) {
        let mut buffer = [0; MAX_FRAME_BYTES];
        let mut frame = encode(1, &reply, &mut buffer).unwrap().to_vec();
        let place = place.index(frame.len());
        frame[place] ^= flip;
        frame.push(0);
        let received = replies(&mut Decoder::new(), &frame);
        prop_assert!(!received.is_empty());
        prop_assert!(received.iter().all(|reply| *reply == Err(BadFrame)), "{received:?}");
    }

    #[test]
    fn any_intact_message_decodes_or_is_unknown(message in prop::collection::vec(any::<u8>(), 0..400)) {
        let frame = Frame { sequence: 0, message: &message };
        let _ = frame.message::<Request<'_>>();
        let _ = frame.message::<Reply>();
    }
}

#[test]
fn the_longest_messages_fit() {
    let mut buffer = [0; MAX_FRAME_BYTES];
    let bytes = [0xff; MAX_INPUT_CHUNK_BYTES];
    encode(255, &Request::Input { offset_bytes: u32::MAX, bytes: &bytes }, &mut buffer).unwrap();
    encode(255, &Reply::Logits([i32::MIN; MAX_VALUES].into()), &mut buffer).unwrap();
    encode(255, &Reply::LayerTicks([u32::MAX; MAX_VALUES].into()), &mut buffer).unwrap();
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut buffer = [0; MAX_FRAME_BYTES];
    let request = Request::Input { offset_bytes: 0, bytes: &[1; MAX_FRAME_BYTES] };
    assert_eq!(encode(1, &request, &mut buffer), Err(TooLong));
}

#[test]
fn an_endless_frame_is_one_bad_frame() {
    let mut decoder = Decoder::new();
    assert!(replies(&mut decoder, &[1; 100_000]).is_empty());
    assert_eq!(replies(&mut decoder, &[0]), [Err(BadFrame)]);
}

#[test]
fn trailing_bytes_make_a_message_unknown() {
    let frame = Frame { sequence: 0, message: &[0, 0] };
    assert_eq!(frame.message::<Request<'_>>(), None);
}

/// The wire format is a promise: this frame was written by version 1.
#[test]
fn version_1_frames_stay_readable() {
    let mut buffer = [0; MAX_FRAME_BYTES];
    let request = Request::Input { offset_bytes: 300, bytes: &[9, 0, 8] };
    let frame = encode(5, &request, &mut buffer).unwrap();
    assert_eq!(frame, [7, 5, 3, 172, 2, 3, 9, 6, 8, 54, 85, 139, 27, 0]);
}

#[test]
fn a_long_name_is_cut() {
    assert_eq!(fault("é".repeat(40)).as_str(), std::format!("\"{}", "é".repeat(15)));
}
