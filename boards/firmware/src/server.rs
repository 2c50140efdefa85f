//! Carries out a host's requests.

use crate::marker::{skimp_layer_begin, skimp_layer_end};
use crate::{Clock, Link};
use skimp_runtime::protocol::{
    self, Decoder, DeviceInfo, Failure, MAX_FRAME_BYTES, MAX_VALUES, NetworkInfo, Reply, Request, fault,
};
use skimp_runtime::{Network, Observer};

/// A board, as far as serving a host is concerned.
pub struct Device<L, C> {
    /// The board's name, as the host's table of boards spells it.
    pub board: &'static str,
    /// The line to the host.
    pub link: L,
    /// What times the layers.
    pub clock: C,
    /// The flash that holds the image.
    pub image: &'static [u8],
    /// RAM for the network.
    pub memory: &'static mut [u32],
}

/// The network in flash, and how far the work on it has come.
struct Loaded {
    network: Network<'static>,
    input_stored: bool,
    result_ready: bool,
}

/// What the memory is divided into for a network.
struct Parts<'a> {
    arena: &'a mut [u8],
    input: &'a mut [u8],
    logits: &'a mut [i32],
    layer_ticks: &'a mut [u32],
}

/// Serves requests for ever.
pub fn serve<L: Link, C: Clock>(mut device: Device<L, C>) -> ! {
    serve_any(Device {
        board: device.board,
        link: &mut device.link,
        clock: &mut device.clock,
        image: device.image,
        memory: device.memory,
    })
}

/// The same for all boards, so that it is compiled with this crate, for size.
#[inline(never)]
fn serve_any(mut device: Device<&mut dyn Link, &mut dyn Clock>) -> ! {
    defmt::info!(
        "{=str}: {=usize} bytes of RAM for networks, counter at {=u32} Hz",
        device.board,
        size_of_val(device.memory),
        device.clock.hz(),
    );
    let mut loaded = None;
    // The log shows at start-up what the host will learn when it asks.
    let _ = device.load(&mut loaded);

    let mut decoder = Decoder::new();
    loop {
        let Some(byte) = device.link.read_byte() else {
            device.link.wait();
            continue;
        };
        let (sequence, outcome) = match decoder.push(byte) {
            None => continue,
            Some(Err(protocol::BadFrame)) => (0, Err(Failure::BadFrame)),
            Some(Ok(frame)) => match frame.message() {
                Some(request) => (frame.sequence, device.answer(request, &mut loaded)),
                None => (frame.sequence, Err(Failure::UnknownRequest)),
            },
        };
        let reply = outcome.unwrap_or_else(Reply::Failed);
        if let Reply::Failed(failure) = &reply {
            defmt::warn!("request {=u8} failed: {=str}", sequence, describe(failure));
        }
        device.send(sequence, &reply);
    }
}

// What needs much stack is not inlined, so that no two of them have theirs at the same time.
impl<L: Link, C: Clock> Device<L, C> {
    #[inline(never)]
    fn send(&mut self, sequence: u8, reply: &Reply) {
        let mut buffer = [0; MAX_FRAME_BYTES];
        // Every reply is bounded so as to fit.
        if let Ok(frame) = protocol::encode(sequence, reply, &mut buffer) {
            self.link.write(frame);
        }
    }

    #[inline(never)]
    fn answer(&mut self, request: Request<'_>, loaded: &mut Option<Loaded>) -> Result<Reply, Failure> {
        match request {
            Request::Hello => Ok(Reply::Hello(self.introduce())),
            Request::Load => self.load(loaded).map(Reply::Loaded),
            Request::ImageCrc { length_bytes } => {
                let bytes = self.image.get(..length_bytes as usize).ok_or(Failure::OutOfRange)?;
                Ok(Reply::ImageCrc(protocol::crc32(bytes)))
            }
            Request::Input { offset_bytes, bytes } => {
                let loaded = loaded.as_mut().ok_or(Failure::NotLoaded)?;
                let place = divide(&loaded.network, self.memory)?
                    .input
                    .get_mut(offset_bytes as usize..)
                    .and_then(|tail| tail.get_mut(..bytes.len()))
                    .ok_or(Failure::OutOfRange)?;
                place.copy_from_slice(bytes);
                loaded.input_stored = true;
                loaded.result_ready = false;
                Ok(Reply::Stored)
            }
            Request::Infer => self.infer(loaded.as_mut().ok_or(Failure::NotLoaded)?),
            Request::Logits { offset } => self.logits(loaded, offset),
            Request::LayerTicks { offset } => self.layer_ticks(loaded, offset),
            Request::Select { point } => self.select(loaded, point).map(Reply::Loaded),
            // Requests of later versions.
            _ => Err(Failure::UnknownRequest),
        }
    }

    fn introduce(&self) -> DeviceInfo {
        DeviceInfo {
            version: protocol::VERSION,
            // A name too long to say is left out.
            board: self.board.try_into().unwrap_or_default(),
            counter: self.clock.counter(),
            counter_hz: self.clock.hz(),
            memory_bytes: size_of_val(self.memory) as u32,
            image_capacity_bytes: self.image.len() as u32,
        }
    }

    #[inline(never)]
    fn load(&self, loaded: &mut Option<Loaded>) -> Result<NetworkInfo, Failure> {
        *loaded = None;
        let network = Network::load(self.image).map_err(|error| {
            let name = fault(error);
            defmt::warn!("no usable image in flash: {=str}", name.as_str());
            Failure::BadImage(name)
        })?;
        let info = self.info(&network)?;
        defmt::info!(
            "network {=str} in flash: {=u32} layers, input {=u32} bytes, {=u32} logits, arena {=u32} bytes",
            network.name(),
            info.layer_count,
            info.input_bytes,
            info.output_len,
            info.arena_bytes,
        );
        *loaded = Some(Loaded { network, input_stored: false, result_ready: false });
        Ok(info)
    }

    #[inline(never)]
    fn select(&self, loaded: &mut Option<Loaded>, point: u16) -> Result<NetworkInfo, Failure> {
        let loaded = loaded.as_mut().ok_or(Failure::NotLoaded)?;
        let network = loaded.network.at_point(point.into()).map_err(|_| Failure::OutOfRange)?;
        let info = self.info(&network)?;
        defmt::info!("operating point {=u16}: {=str}", point, network.point_name());
        // Arena and input are where they were at the point before.
        loaded.network = network;
        loaded.result_ready = false;
        Ok(info)
    }

    /// What a host is told of a network, if it fits.
    fn info(&self, network: &Network<'_>) -> Result<NetworkInfo, Failure> {
        let needed_words = words_needed(network);
        if needed_words > self.memory.len() {
            let needed_bytes = needed_words.saturating_mul(size_of::<u32>()) as u32;
            defmt::warn!("the network in flash needs {=u32} bytes of RAM", needed_bytes);
            return Err(Failure::OutOfMemory { needed_bytes });
        }
        Ok(NetworkInfo {
            input_bytes: network.input_bytes() as u32,
            output_len: network.output_len() as u32,
            layer_count: network.layer_count() as u32,
            arena_bytes: network.arena_bytes() as u32,
        })
    }

    #[inline(never)]
    fn infer(&mut self, loaded: &mut Loaded) -> Result<Reply, Failure> {
        if !loaded.input_stored {
            return Err(Failure::NoInput);
        }
        let parts = divide(&loaded.network, self.memory)?;
        let mut timer =
            LayerTimer { last: self.clock.now(), clock: &mut self.clock, ticks: parts.layer_ticks, total: 0 };
        loaded
            .network
            .infer(parts.arena, parts.input, parts.logits, &mut timer)
            .map_err(|error| Failure::Inference(fault(error)))?;
        timer.turn();
        let ticks = timer.total;
        loaded.result_ready = true;
        Ok(Reply::Inferred { ticks })
    }

    #[inline(never)]
    fn logits(&mut self, loaded: &Option<Loaded>, offset: u32) -> Result<Reply, Failure> {
        Ok(Reply::Logits(page(self.results(loaded)?.logits, offset)?))
    }

    #[inline(never)]
    fn layer_ticks(&mut self, loaded: &Option<Loaded>, offset: u32) -> Result<Reply, Failure> {
        Ok(Reply::LayerTicks(page(self.results(loaded)?.layer_ticks, offset)?))
    }

    fn results(&mut self, loaded: &Option<Loaded>) -> Result<Parts<'_>, Failure> {
        let loaded = loaded.as_ref().ok_or(Failure::NotLoaded)?;
        if !loaded.result_ready {
            return Err(Failure::NoResult);
        }
        divide(&loaded.network, self.memory)
    }
}

/// Reads the clock around every layer.
struct LayerTimer<'a, C> {
    clock: &'a mut C,
    last: u32,
    ticks: &'a mut [u32],
    total: u64,
}

impl<C: Clock> LayerTimer<'_, C> {
    /// Ticks since the last turn.
    fn turn(&mut self) -> u32 {
        let now = self.clock.now();
        let passed = now.wrapping_sub(self.last);
        self.last = now;
        self.total += u64::from(passed);
        passed
    }
}

impl<C: Clock> Observer for LayerTimer<'_, C> {
    fn before_layer(&mut self, _index: usize) {
        self.turn();
        skimp_layer_begin();
    }

    fn after_layer(&mut self, index: usize) {
        skimp_layer_end();
        let passed = self.turn();
        if let Some(ticks) = self.ticks.get_mut(index) {
            *ticks = passed;
        }
    }
}

fn words(bytes: usize) -> usize {
    bytes.div_ceil(size_of::<u32>())
}

fn words_needed(network: &Network<'_>) -> usize {
    words(network.arena_bytes())
        .saturating_add(words(network.input_bytes()))
        .saturating_add(network.output_len())
        .saturating_add(network.layer_count())
}

/// Divides the memory among a network's needs, the arena first and so as well aligned as the memory is.
fn divide<'a>(network: &Network<'_>, memory: &'a mut [u32]) -> Result<Parts<'a>, Failure> {
    let mut rest = memory;
    let mut take = |words| {
        let (part, tail) =
            core::mem::take(&mut rest).split_at_mut_checked(words).ok_or(Failure::NotLoaded)?;
        rest = tail;
        Ok(part)
    };
    let arena = take(words(network.arena_bytes()))?;
    let input = take(words(network.input_bytes()))?;
    let logits = take(network.output_len())?;
    let layer_ticks = take(network.layer_count())?;
    Ok(Parts {
        arena: &mut bytemuck::cast_slice_mut(arena)[..network.arena_bytes()],
        input: &mut bytemuck::cast_slice_mut(input)[..network.input_bytes()],
        logits: bytemuck::cast_slice_mut(logits),
        layer_ticks,
    })
}

/// What a reply can carry of `values` from number `offset` on.
fn page<T: Copy>(values: &[T], offset: u32) -> Result<heapless::Vec<T, MAX_VALUES>, Failure> {
    let tail = values.get(offset as usize..).ok_or(Failure::OutOfRange)?;
    Ok(tail.iter().copied().take(MAX_VALUES).collect())
}

/// A failure for the log, in a few words.
fn describe(failure: &Failure) -> &str {
    match failure {
        Failure::BadFrame => "damaged frame",
        Failure::UnknownRequest => "unknown request",
        Failure::BadImage(fault) | Failure::Inference(fault) => fault,
        Failure::OutOfMemory { .. } => "too little RAM",
        Failure::NotLoaded => "no network is loaded",
        Failure::OutOfRange => "out of range",
        Failure::NoInput => "no input stored",
        Failure::NoResult => "no result yet",
        _ => "other",
    }
}
