//! The conversation with a board that runs skimp's firmware.

use super::link::Link;
use crate::error::{Error, Result};
use skimp_runtime::protocol::{
    self, Counter, Decoder, DeviceInfo, Failure, MAX_FRAME_BYTES, MAX_INPUT_CHUNK_BYTES, NetworkInfo, Reply,
    Request,
};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How long a board may take to answer anything but an inference.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a board may take to introduce itself before it is greeted again: while it starts, it may miss
/// a whole frame.
const HELLO_LIMIT: Duration = Duration::from_millis(250);
/// How often a request is sent before its failure to get through counts.
const ATTEMPTS: u32 = 3;
/// How often a board that may still be starting is greeted.
const HELLO_ATTEMPTS: u32 = 60;
/// How long an inference may take.
const INFER_LIMIT: Duration = Duration::from_secs(300);
/// One instruction takes one virtual nanosecond in QEMU as skimp starts it.
const EMULATED_INSNS_PER_S: u64 = 1_000_000_000;

/// What a board made of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inference {
    /// The network's outputs.
    pub logits: Vec<i32>,
    /// Ticks of the board's counter that it took.
    pub ticks: u64,
}

/// A board at the other end of a line.
#[derive(Debug)]
pub struct Device<L> {
    link: L,
    name: String,
    info: DeviceInfo,
    network: Option<NetworkInfo>,
    sequence: u8,
    decoder: Decoder,
    received: VecDeque<u8>,
}

impl<L: Link> Device<L> {
    /// Greets the board at the other end of `link`, which must be the board called `name`.
    pub fn connect(link: L, name: &str) -> Result<Self> {
        let unknown = DeviceInfo {
            version: 0,
            board: Default::default(),
            counter: Counter::Timer,
            counter_hz: 0,
            memory_bytes: 0,
            image_capacity_bytes: 0,
        };
        let mut device = Self {
            link,
            name: name.to_owned(),
            info: unknown,
            network: None,
            sequence: 0,
            decoder: Decoder::new(),
            received: VecDeque::new(),
        };
        device.hello()?;
        Ok(device)
    }

    /// Has the board introduce itself again.
    pub fn hello(&mut self) -> Result<&DeviceInfo> {
        // A zero ends whatever a board may have half received before.
        self.link.send(&[0]).map_err(|error| self.lost(&error.to_string()))?;
        let reply = self.ask(Request::Hello, HELLO_LIMIT, HELLO_ATTEMPTS)?;
        let Reply::Hello(info) = reply else { return Err(self.unexpected(&reply)) };
        if info.version != protocol::VERSION {
            let (theirs, ours) = (info.version, protocol::VERSION);
            return Err(self.error(format!(
                "its firmware speaks protocol version {theirs}, skimp speaks {ours}: flash the firmware anew"
            )));
        }
        if *info.board != *self.name {
            return Err(self.error(format!("it says it is the board \"{}\"", info.board)));
        }
        if info.counter_hz == 0 {
            return Err(self.error("it says its counter stands still".to_owned()));
        }
        self.info = info;
        Ok(&self.info)
    }

    /// What the board has said of itself.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Has the board load the network from the image in its flash, at its first operating point.
    pub fn load(&mut self) -> Result<NetworkInfo> {
        self.network = None;
        self.ask_for_network(Request::Load)
    }

    /// Has the board go to operating point number `point` of the network it has loaded.
    pub fn select(&mut self, point: u16) -> Result<NetworkInfo> {
        self.ask_for_network(Request::Select { point })
    }

    fn ask_for_network(&mut self, request: Request<'_>) -> Result<NetworkInfo> {
        match self.ask(request, ANSWER_LIMIT, ATTEMPTS)? {
            Reply::Loaded(info) => {
                let results_bytes = (u64::from(info.output_len) + u64::from(info.layer_count)) * 4;
                if results_bytes > u64::from(self.info.memory_bytes) {
                    return Err(
                        self.error(format!("it says it has loaded what it has no room for: {info:?}"))
                    );
                }
                Ok(*self.network.insert(info))
            }
            reply => Err(self.unexpected(&reply)),
        }
    }

    /// Whether the board's flash holds `image`.
    pub fn holds_image(&mut self, image: &[u8]) -> Result<bool> {
        if image.len() > self.info.image_capacity_bytes as usize {
            return Ok(false);
        }
        let request = Request::ImageCrc { length_bytes: image.len() as u32 };
        match self.ask(request, ANSWER_LIMIT, ATTEMPTS)? {
            Reply::ImageCrc(crc) => Ok(crc == protocol::crc32(image)),
            reply => Err(self.unexpected(&reply)),
        }
    }

    /// Runs the network on `input`, which must have the length that [`Device::load`] has told.
    pub fn infer(&mut self, input: &[u8]) -> Result<Inference> {
        let network = self.network()?;
        if input.len() != network.input_bytes as usize {
            let (given, wanted) = (input.len(), network.input_bytes);
            return Err(Error::Mismatch(format!("an input of {given} bytes, the network takes {wanted}")));
        }
        for (index, bytes) in input.chunks(MAX_INPUT_CHUNK_BYTES).enumerate() {
            let offset_bytes = (index * MAX_INPUT_CHUNK_BYTES) as u32;
            match self.ask(Request::Input { offset_bytes, bytes }, ANSWER_LIMIT, ATTEMPTS)? {
                Reply::Stored => {}
                reply => return Err(self.unexpected(&reply)),
            }
        }
        // Not sent twice: a board that is still at it would do the work again.
        let ticks = match self.ask(Request::Infer, INFER_LIMIT, 1)? {
            Reply::Inferred { ticks } => ticks,
            reply => return Err(self.unexpected(&reply)),
        };
        let logits = self.collect(
            network.output_len,
            |offset| Request::Logits { offset },
            |reply| match reply {
                Reply::Logits(values) => Some(values.to_vec()),
                _ => None,
            },
        )?;
        Ok(Inference { logits, ticks })
    }

    /// Ticks of each layer in the last inference. They repeat from one to the next, so they need not be
    /// asked for every time.
    pub fn layer_ticks(&mut self) -> Result<Vec<u32>> {
        let layers = self.network()?.layer_count;
        self.collect(
            layers,
            |offset| Request::LayerTicks { offset },
            |reply| match reply {
                Reply::LayerTicks(values) => Some(values.to_vec()),
                _ => None,
            },
        )
    }

    /// Instructions in so many ticks, if an emulator counts them.
    pub fn insns(&self, ticks: u64) -> Option<u64> {
        let insns = u128::from(ticks) * u128::from(EMULATED_INSNS_PER_S) / u128::from(self.info.counter_hz);
        (self.link.is_emulated() && self.info.counter != Counter::Cycles)
            .then(|| insns.try_into().unwrap_or(u64::MAX))
    }

    /// Processor cycles in so many ticks, if the board counts them.
    pub fn cycles(&self, ticks: u64) -> Option<u64> {
        (self.info.counter == Counter::Cycles).then_some(ticks)
    }

    fn network(&self) -> Result<NetworkInfo> {
        self.network.ok_or_else(|| self.error("no network has been loaded yet".to_owned()))
    }

    /// Asks page by page until `wanted` values are there.
    fn collect<T>(
        &mut self,
        wanted: u32,
        request: impl Fn(u32) -> Request<'static>,
        values: impl Fn(&Reply) -> Option<Vec<T>>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while all.len() < wanted as usize {
            let reply = self.ask(request(all.len() as u32), ANSWER_LIMIT, ATTEMPTS)?;
            let page = values(&reply).ok_or_else(|| self.unexpected(&reply))?;
            if page.is_empty() {
                return Err(self.error(format!("it has sent {} of {wanted} values", all.len())));
            }
            all.extend(page);
        }
        all.truncate(wanted as usize);
        Ok(all)
    }

    /// Sends a request and waits for its reply, again if a frame was damaged or lost.
    fn ask(&mut self, request: Request<'_>, limit: Duration, attempts: u32) -> Result<Reply> {
        let mut reason = String::new();
        let start = Instant::now();
        for _ in 0..attempts {
            self.sequence = self.sequence % 255 + 1;
            let mut buffer = [0; MAX_FRAME_BYTES];
            let frame = protocol::encode(self.sequence, &request, &mut buffer)
                .map_err(|_| self.error("a request does not fit a frame".to_owned()))?;
            self.link.send(frame).map_err(|error| self.lost(&error.to_string()))?;
            match self.reply(Instant::now() + limit)? {
                Some(Reply::Failed(Failure::BadFrame)) => reason = "frames arrive damaged".to_owned(),
                Some(Reply::Failed(failure)) => return Err(self.error(explain(&failure))),
                Some(reply) => return Ok(reply),
                None => reason = format!("no answer within {:.1} s", start.elapsed().as_secs_f32()),
            }
        }
        Err(self.lost(&reason))
    }

    /// The reply to the last request; `None` if there is none by `deadline`.
    fn reply(&mut self, deadline: Instant) -> Result<Option<Reply>> {
        loop {
            while let Some(byte) = self.received.pop_front() {
                // A damaged reply is as good as none, and an older request's reply comes too late.
                let Some(Ok(frame)) = self.decoder.push(byte) else { continue };
                match frame.message::<Reply>() {
                    Some(reply) if frame.sequence == self.sequence => return Ok(Some(reply)),
                    Some(reply @ Reply::Failed(Failure::BadFrame)) => return Ok(Some(reply)),
                    _ => {}
                }
            }
            let mut buffer = [0; MAX_FRAME_BYTES];
            match self.link.receive(&mut buffer, deadline) {
                Ok(bytes) => self.received.extend(&buffer[..bytes]),
                Err(error) if error.kind() == ErrorKind::TimedOut => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(&error.to_string())),
            }
            // A line that never falls silent has no say in how long this takes.
            if Instant::now() > deadline && self.received.is_empty() {
                return Ok(None);
            }
        }
    }

    fn error(&self, reason: String) -> Error {
        Error::tool(&self.name, reason)
    }

    fn unexpected(&self, reply: &Reply) -> Error {
        self.error(format!("it answered what was not asked: {reply:?}"))
    }

    /// An error with all that is known of a board that does not answer.
    fn lost(&mut self, reason: &str) -> Error {
        let known = self.link.post_mortem();
        let separator = if known.is_empty() { "" } else { "; " };
        self.error(format!("{reason}{separator}{known}"))
    }
}

/// A board's failure in words.
fn explain(failure: &Failure) -> String {
    match failure {
        Failure::BadImage(fault) => {
            format!("there is no usable image in its flash ({fault}); flash one, or pass one to the emulator")
        }
        Failure::OutOfMemory { needed_bytes } => {
            format!("the network needs {needed_bytes} bytes of RAM there")
        }
        Failure::NotLoaded => "no network is loaded".to_owned(),
        Failure::Inference(fault) => format!("the network did not run ({fault})"),
        other => format!("it refused ({other:?})"),
    }
}

#[cfg(test)]
mod tests;
