//! Why an exchange or a link is given up, as numbers on the wire (256 and above are the application's).
//!
//! They are for the other side's operator; nothing is decided by them but `SHUTTING_DOWN` and `VERSION`.

use hibiki_transport::Code;

/// What arrived is not a request.
pub const MALFORMED: Code = Code::new(256);
/// The request is not for this sender to make, or not for this node to serve.
pub const NOT_PERMITTED: Code = Code::new(257);
/// The first frame was not complete in time.
pub const TOO_LATE: Code = Code::new(258);
/// Something was asked before the hello.
pub const NOT_GREETED: Code = Code::new(259);
/// No common version, or another federation.
pub const VERSION: Code = Code::new(260);
