//! A real board on a serial port.

use super::link::Link;
use crate::error::{Error, Result};
use serialport::SerialPort;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// What all of skimp's firmware speaks at.
pub const BAUD: u32 = 115_200;
/// How long the port may take to accept what is sent.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// A serial port.
#[derive(Debug)]
pub struct Serial {
    port: Box<dyn SerialPort>,
    name: String,
    baud: u32,
    received_bytes: u64,
}

impl Serial {
    /// Opens the port `name`, such as `/dev/ttyACM0` or `COM3`: 8N1, no flow control.
    pub fn open(name: &str, baud: u32) -> Result<Serial> {
        let opened = serialport::new(name, baud).timeout(SEND_LIMIT).open();
        let port = opened.map_err(|error| Error::tool(name, explain(&error)))?;
        // What came before skimp listened is for nobody.
        port.clear(serialport::ClearBuffer::Input).map_err(|error| Error::tool(name, error.to_string()))?;
        Ok(Serial { port, name: name.to_owned(), baud, received_bytes: 0 })
    }
}

/// Why a port can't be opened, and what to do.
fn explain(error: &serialport::Error) -> String {
    use serialport::ErrorKind;
    let advice = match error.kind() {
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => {
            "; on Linux, ports are for members of the group dialout or uucp".to_owned()
        }
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::NotFound) => {
            let ports = serialport::available_ports().unwrap_or_default();
            let names: Vec<String> = ports.into_iter().map(|port| port.port_name).collect();
            match names.as_slice() {
                [] => "; this machine has no serial port: is the board connected?".to_owned(),
                names => format!("; there are {}", names.join(", ")),
            }
        }
        _ => String::new(),
    };
    format!("--port can't be opened: {error}{advice}")
}

impl Link for Serial {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(SEND_LIMIT)?;
        self.port.write_all(bytes)?;
        self.port.flush()
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<usize> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.port.set_timeout(left.max(Duration::from_millis(1)))?;
        match self.port.read(buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the port has been closed")),
            Ok(bytes) => {
                self.received_bytes += bytes as u64;
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::TimedOut.into()),
            Err(error) => Err(error),
        }
    }

    fn post_mortem(&mut self) -> String {
        let (name, baud) = (&self.name, self.baud);
        match self.received_bytes {
            0 => format!(
                "nothing has come from {name}: does the board run skimp's firmware (`skimp flash`), and is its \
                 line connected there?"
            ),
            bytes => format!(
                "{bytes} bytes have come from {name} at {baud} baud: if they were not all answers, something \
                 else than skimp's firmware is there, or its line has another --baud"
            ),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::board::Device;
    use serialport::TTYPort;

    /// A board's end, what keeps the other one open (but not locked), and the other one's name.
    fn pair() -> (TTYPort, std::fs::File, String) {
        let (board, host) = TTYPort::pair().unwrap();
        let name = host.name().unwrap();
        (board, std::fs::File::options().read(true).write(true).open(&name).unwrap(), name)
    }

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let message = Serial::open("/dev/no-such-port", BAUD).unwrap_err().to_string();
        assert!(message.starts_with("/dev/no-such-port: --port can't be opened: "), "{message}");
    }

    #[test]
    fn bytes_pass_both_ways_and_silence_times_out() {
        let (mut board, _host, name) = pair();
        let mut serial = Serial::open(&name, BAUD).unwrap();
        serial.send(&[0, 255, 3, 10, 13, 17, 19]).unwrap();
        let mut buffer = [0; 7];
        board.set_timeout(Duration::from_secs(5)).unwrap();
        board.read_exact(&mut buffer).unwrap();
        assert_eq!(buffer, [0, 255, 3, 10, 13, 17, 19]);
        let soon = || Instant::now() + Duration::from_millis(50);
        assert_eq!(serial.receive(&mut buffer, soon()).unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(serial.post_mortem().contains("nothing has come"));
        board.write_all(&buffer).unwrap();
        assert_eq!(serial.receive(&mut buffer, soon()).unwrap(), 7);
        assert!(serial.post_mortem().contains("7 bytes have come"));
    }

    #[test]
    fn a_port_that_goes_away_is_an_error() {
        let (board, host, name) = pair();
        let serial = Serial::open(&name, BAUD).unwrap();
        drop((board, host));
        let message = Device::connect(serial, "pico").unwrap_err().to_string();
        assert!(message.starts_with("pico: ") && message.contains(&name), "{message}");
    }
}
