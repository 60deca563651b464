//! Parquet's hybrid of runs and packed bits (Parquet format, Encodings, RLE = 3).

/// Reads `count` values of `width` bits each, telling them run by run; nothing when the octets do
/// not hold that many, or the width is none.
pub(super) fn runs(
    mut octets: &[u8],
    width: u8,
    count: usize,
    mut tell: impl FnMut(u32, usize),
) -> Option<()> {
    if width > 32 {
        return None;
    }
    let mut left = count;
    while left > 0 {
        let (head, rest) = varint(octets)?;
        if head & 1 == 0 {
            let octets_wide = usize::from(width).div_ceil(8);
            let (value, rest) = rest.split_at_checked(octets_wide)?;
            let mut all = [0; 4];
            all[..octets_wide].copy_from_slice(value);
            let run = usize::try_from(head >> 1).ok()?.min(left);
            if run == 0 {
                return None;
            }
            tell(u32::from_le_bytes(all), run);
            left -= run;
            octets = rest;
        } else {
            let groups = usize::try_from(head >> 1).ok()?;
            let packed = groups.checked_mul(usize::from(width))?;
            let values = groups.checked_mul(8)?.min(left);
            // The last run of a page may be cut off behind its last value.
            let (bits, rest) = rest.split_at_checked(packed).unwrap_or((rest, &[]));
            if values == 0 || bits.len().checked_mul(8)? < values.checked_mul(usize::from(width))? {
                return None;
            }
            unpack(bits, width, values, &mut tell);
            left -= values;
            octets = rest;
        }
    }
    Some(())
}

/// The bits that one value of a packed run takes, lowest first.
fn unpack(bits: &[u8], width: u8, values: usize, tell: &mut impl FnMut(u32, usize)) {
    let mask = (1_u64 << width) - 1;
    let (mut held, mut have) = (0_u64, 0_u32);
    let mut octets = bits.iter();
    for _ in 0..values {
        while have < u32::from(width) {
            let next = octets.next().copied().unwrap_or_default();
            held |= u64::from(next) << have;
            have += 8;
        }
        tell((held & mask) as u32, 1);
        held >>= width;
        have -= u32::from(width);
    }
}

fn varint(octets: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    for (i, b) in octets.iter().take(5).enumerate() {
        value |= u32::from(b & 0x7f).checked_shl(7 * i as u32)?;
        if b & 0x80 == 0 {
            return Some((value, &octets[i + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(octets: &[u8], width: u8, count: usize) -> Option<Vec<u32>> {
        let mut all = Vec::new();
        runs(octets, width, count, |value, n| all.extend(std::iter::repeat_n(value, n)))?;
        Some(all)
    }

    #[test]
    fn runs_and_packed_bits_are_read_as_the_format_says() {
        // The format's own example: 0 to 7 in three bits each are 88 C6 FA.
        assert_eq!(read(&[0x03, 0x88, 0xc6, 0xfa], 3, 8), Some(vec![0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(read(&[10, 4], 3, 5), Some(vec![4; 5]));
        assert_eq!(read(&[10, 4], 3, 6), None);
        assert_eq!(read(&[10], 0, 5), Some(vec![0; 5]));
    }

    proptest! {
        #[test]
        fn foreign_octets_never_panic_and_never_tell_too_much(
            octets in proptest::collection::vec(any::<u8>(), 0..60), width: u8, count in 0_usize..999,
        ) {
            let mut told = 0;
            let _ = runs(&octets, width, count, |_, n| told += n);
            prop_assert!(told <= count);
        }
    }
}
