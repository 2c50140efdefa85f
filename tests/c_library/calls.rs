//! The library's functions as C would call them, on the host.

#![allow(unsafe_code, reason = "what C passes are pointers")]

use crate::api::network::*;
use crate::api::status::SkimpStatus::{self, *};
use crate::api::status::skimp_error_message;
use crate::common::random::case;
use skimp::execute::{self, AlignedImage};
use skimp::image::{self, OperatingPoint, Options};
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr::{null, null_mut};

/// An image, an input for it and what the host computes of that.
fn random(seed: u64) -> (AlignedImage, Vec<u8>, Vec<i32>) {
    let case = case(seed);
    let image = AlignedImage::new(&image::build(&case.network, &case.convs, &case.names).unwrap().bytes);
    let logits = execute::on_host(&image, &case.input).unwrap();
    (image, case.input, logits)
}

/// A network in memory that holds anything before.
fn load(flash: &[u8]) -> (SkimpStatus, Box<SkimpNetwork>) {
    let mut network: Box<MaybeUninit<SkimpNetwork>> = Box::new_uninit();
    // SAFETY: all pointers and lengths are those of slices and boxes; any bytes are a network.
    unsafe {
        network.as_mut_ptr().cast::<u8>().write_bytes(0xa5, size_of::<SkimpNetwork>());
        let status = skimp_load(flash.as_ptr(), flash.len(), network.as_mut_ptr());
        (status, network.assume_init())
    }
}

fn infer(network: &SkimpNetwork, arena: &mut [u8], input: &[u8], logits: &mut [i32]) -> SkimpStatus {
    let (arena_bytes, len) = (arena.len(), logits.len());
    let (arena, logits) = (arena.as_mut_ptr(), logits.as_mut_ptr());
    // SAFETY: as in `load`.
    unsafe { skimp_infer(network, arena, arena_bytes, input.as_ptr(), input.len(), logits, len) }
}

#[test]
fn networks_compute_what_the_host_computes() {
    for seed in 0..12 {
        let (image, input, expected) = random(seed);
        let (status, network) = load(image.bytes());
        assert_eq!(status, SkimpOk);
        // SAFETY: the network is there, and so is the coding.
        let (arena_bytes, input_bytes, len, coding) = unsafe {
            let mut coding = MaybeUninit::uninit();
            assert_eq!(skimp_describe(&*network, coding.as_mut_ptr()), SkimpOk);
            let sizes = (skimp_arena_bytes(&*network), skimp_input_bytes(&*network));
            (sizes.0, sizes.1, skimp_output_len(&*network), coding.assume_init())
        };
        assert_eq!((input_bytes, len), (input.len(), expected.len()));
        let elements = coding.input_height * coding.input_width * coding.input_channels;
        assert_eq!(elements as usize, input.len());
        assert!(coding.input_scale > 0.0 && coding.output_scale > 0.0 && coding.input_zero_point < 256);

        let (mut arena, mut logits) = (vec![0x5a; arena_bytes], vec![7; len]);
        assert_eq!(infer(&network, &mut arena, &input, &mut logits), SkimpOk);
        assert_eq!(logits, expected, "seed {seed}");
        // SAFETY: a slice's pointer and length.
        let class = unsafe { skimp_argmax(logits.as_ptr(), logits.len()) };
        assert_eq!(class, skimp_runtime::argmax(&expected));
    }
}

#[test]
fn operating_points_are_selected_between_inferences() {
    let case = case(5);
    let mut others = case.convs.clone();
    others.iter_mut().flat_map(|conv| &mut conv.bias).for_each(|bias| *bias += 999);
    let points = [("first", &case.convs), ("second", &others)].map(|(name, convs)| OperatingPoint {
        name,
        convs,
        multipliers: &case.names,
    });
    let bytes = image::build_points(&case.network, &points, &Options::default()).unwrap().bytes;
    let image = AlignedImage::new(&bytes);
    let (_, mut network) = load(image.bytes());
    // SAFETY: the network is there.
    assert_eq!(unsafe { skimp_points(&*network) }, 2);
    assert_eq!(unsafe { skimp_select(&mut *network, 2) }, SkimpNoSuchPoint);
    for (index, name) in [(1, "second"), (0, "first")] {
        let expected = execute::on_host(&image.clone().at_point(name).unwrap(), &case.input).unwrap();
        // SAFETY: as above.
        let arena_bytes = unsafe {
            assert_eq!(skimp_select(&mut *network, index), SkimpOk);
            skimp_arena_bytes(&*network)
        };
        let (mut arena, mut logits) = (vec![0x5a; arena_bytes], vec![7; expected.len()]);
        assert_eq!(infer(&network, &mut arena, &case.input, &mut logits), SkimpOk);
        assert_eq!(logits, expected);
    }
}

#[test]
fn images_that_are_none_are_refused_and_leave_nothing_loaded() {
    let (image, ..) = random(3);
    let good = image.bytes();
    let changed = |at: usize| {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        AlignedImage::new(&bytes)
    };
    let last = good.len() - 1;
    for (bytes, expected) in [
        (&good[4..], SkimpNoImage),
        (&good[1..], SkimpImageMisaligned),
        (&good[..good.len() - 4], SkimpImageLength),
        (&good[..0], SkimpImageLength),
        (changed(0).bytes(), SkimpNoImage),
        (changed(4).bytes(), SkimpImageVersion),
        (changed(last).bytes(), SkimpImageDamaged),
    ] {
        let (status, network) = load(bytes);
        assert_eq!(status, expected);
        // SAFETY: the network is there.
        assert_eq!(unsafe { skimp_arena_bytes(&*network) }, 0);
        assert_eq!(infer(&network, &mut [0; 64], &[0; 4], &mut [0; 4]), SkimpNotLoaded);
    }
    // One that was loaded is not any more.
    let (_, mut network) = load(good);
    // SAFETY: a null pointer is what is tested; the network is there.
    unsafe {
        assert!(skimp_output_len(&*network) > 0);
        assert_eq!(skimp_load(null(), 0, &mut *network), SkimpNullPointer);
        assert_eq!(skimp_output_len(&*network), 0);
    }
}

#[test]
fn wrong_lengths_are_refused() {
    let (image, input, expected) = random(3);
    let (_, network) = load(image.bytes());
    // SAFETY: the network is there.
    let (mut arena, mut logits) = (vec![0; unsafe { skimp_arena_bytes(&*network) }], vec![7; expected.len()]);
    let short = arena.len() - 1;
    assert_eq!(infer(&network, &mut arena[..short], &input, &mut logits), SkimpArenaTooSmall);
    assert_eq!(infer(&network, &mut arena, &input[1..], &mut logits), SkimpInputLength);
    assert_eq!(infer(&network, &mut arena, &input, &mut logits[1..]), SkimpLogitsLength);
    let mut wide = [0; 4096];
    assert_eq!(infer(&network, &mut arena, &input, &mut wide), SkimpLogitsLength);
    assert!(logits.iter().all(|&logit| logit == 7));
}

#[test]
fn pointers_that_can_be_known_to_be_wrong_are_refused() {
    let (image, input, expected) = random(3);
    let (_, network) = load(image.bytes());
    let network = &raw const *network;
    // SAFETY: the network is there.
    let mut arena = vec![0u8; unsafe { skimp_arena_bytes(network) }];
    let mut logits = vec![0i32; expected.len() + 1];
    let (arena_bytes, input_bytes, len) = (arena.len(), input.len(), expected.len());
    let (arena, logits, input) = (arena.as_mut_ptr(), logits.as_mut_ptr(), input.as_ptr());
    let inside_logits = logits.wrapping_byte_add(1);
    let flash = image.bytes().as_ptr();
    // SAFETY: wrong pointers are what is tested: all are refused before they are used.
    unsafe {
        let run = |network, arena, input, logits| {
            skimp_infer(network, arena, arena_bytes, input, input_bytes, logits, len)
        };
        assert_eq!(run(network, arena, input, logits), SkimpOk);
        assert_eq!(run(null(), arena, input, logits), SkimpNullPointer);
        assert_eq!(run(network, null_mut(), input, logits), SkimpNullPointer);
        assert_eq!(run(network, arena, null(), logits), SkimpNullPointer);
        assert_eq!(run(network, arena, input, null_mut()), SkimpNullPointer);
        assert_eq!(run(network.wrapping_byte_add(1), arena, input, logits), SkimpMisalignedPointer);
        assert_eq!(run(network, arena, input, inside_logits), SkimpMisalignedPointer);
        assert_eq!(run(network, arena, arena, logits), SkimpSharedMemory);
        assert_eq!(run(network, logits.cast(), input, logits), SkimpSharedMemory);
        assert_eq!(run(network, flash.cast_mut(), input, logits), SkimpSharedMemory);
        assert_eq!(run(network, network.cast_mut().cast(), input, logits), SkimpSharedMemory);
        assert_eq!(skimp_infer(network, arena, usize::MAX, input, input_bytes, logits, len), SkimpTooLong);
        let too_many = usize::MAX / 2;
        assert_eq!(skimp_infer(network, arena, 1, input, input_bytes, logits, too_many), SkimpTooLong);

        assert_eq!(skimp_load(flash, 64, null_mut()), SkimpNullPointer);
        assert_eq!(skimp_load(flash, 64, flash.cast_mut().cast()), SkimpSharedMemory);
        assert_eq!(skimp_describe(network, null_mut()), SkimpNullPointer);
        assert_eq!(skimp_describe(network, network.cast_mut().cast()), SkimpSharedMemory);
        assert_eq!(skimp_input_bytes(null()), 0);
        assert_eq!(skimp_argmax(null(), 3), usize::MAX);
        assert_eq!(skimp_argmax(logits, 0), usize::MAX);
        assert_eq!(skimp_argmax(inside_logits, 1), usize::MAX);
    }
}

#[test]
fn every_status_has_a_text() {
    let text = |status: i32| {
        // SAFETY: the texts are constants that end in a zero byte.
        unsafe { CStr::from_ptr(skimp_error_message(status)) }.to_str().unwrap()
    };
    assert_eq!(text(SkimpOk as i32), "done");
    assert_eq!(text(SkimpImageDamaged as i32), "the image is damaged: flash it again");
    for unknown in [-1, 6, 256, i32::MIN] {
        assert_eq!(text(unknown), "not a status of skimp's");
    }
}
