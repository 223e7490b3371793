//! EF 0006: what the card is, as PKCS#11's CK_TOKEN_INFO with 32-bit big-endian numbers (JPKI).

/// Bytes of the file.
pub(super) const TOKEN_INFO_LEN: usize = 160;

/// CKF_RNG, CKF_LOGIN_REQUIRED, CKF_USER_PIN_INITIALIZED, CKF_TOKEN_INITIALIZED (PKCS#11 v2.40).
const FLAGS: u32 = 0x0001 | 0x0004 | 0x0008 | 0x0400;
/// CK_UNAVAILABLE_INFORMATION.
const UNAVAILABLE: u32 = u32::MAX;

/// The file. The label is the one every client knows the plastic by; manufacturer, model and serial
/// number say that this one is simulated.
pub(super) fn info() -> [u8; TOKEN_INFO_LEN] {
    let numbers = [
        FLAGS,
        1,           // sessions at most
        0,           // sessions open
        1,           // read-write sessions at most
        0,           // read-write sessions open
        16,          // longest PIN: the signature password
        4,           // shortest PIN: the authentication PIN
        UNAVAILABLE, // public memory, total and free; private memory, total and free
        UNAVAILABLE,
        UNAVAILABLE,
        UNAVAILABLE,
    ];
    let mut info = [b' '; TOKEN_INFO_LEN];
    let mut rest = info.as_mut_slice();
    put(&mut rest, 32, b"JPKIAPICCTOKEN2");
    put(&mut rest, 32, b"SIMULATED-JPKI");
    put(&mut rest, 16, b"SIMCARD");
    put(&mut rest, 16, b"SIM0000000000001");
    for number in numbers {
        put(&mut rest, 4, &number.to_be_bytes());
    }
    put(&mut rest, 2, &[1, 0]); // hardware version
    put(&mut rest, 2, &[1, 0]); // firmware version
    put(&mut rest, 16, b"0000000000000000"); // no clock on the card
    info
}

/// Writes a field of `len` bytes and goes past it; what `value` leaves stays blank.
fn put(rest: &mut &mut [u8], len: usize, value: &[u8]) {
    let Some((field, behind)) = std::mem::take(rest).split_at_mut_checked(len) else { return };
    for (place, byte) in field.iter_mut().zip(value) {
        *place = *byte;
    }
    *rest = behind;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_where_pkcs11_has_it() {
        let info = info();
        assert!(info.starts_with(b"JPKIAPICCTOKEN2                 SIMULATED-JPKI "));
        assert_eq!(info.get(80..96), Some(b"SIM0000000000001".as_slice()));
        assert_eq!(info.get(96..100), Some([0, 0, 4, 0x0D].as_slice()), "flags");
        assert_eq!(info.get(116..124), Some([0, 0, 0, 16, 0, 0, 0, 4].as_slice()), "PIN lengths");
        assert_eq!(info.get(144..), Some([b'0'; 16].as_slice()), "the fields fill the file exactly");
    }
}
