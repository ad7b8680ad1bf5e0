//! Comparing whole and broken numbers the way the reference does.

use std::cmp::Ordering;

/// A number of an event or of a condition. Whole numbers of JSON reach from `i64::MIN` to `u64::MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

/// Beyond this magnitude neighbouring whole numbers share a float.
const CONTIGUOUS: f64 = 9_007_199_254_740_992.0;

impl Number {
    pub(crate) fn from_json(number: &serde_json::Number) -> Option<Self> {
        if let Some(integer) = number.as_i64() {
            return Some(Self::Integer(integer.into()));
        }
        if let Some(integer) = number.as_u64() {
            return Some(Self::Integer(integer.into()));
        }
        number.as_f64().map(Self::Float)
    }

    /// The less precise of the two is converted: within ±2^53 the whole number becomes a float, beyond it
    /// the float becomes a whole number. `None` only where one is not a number at all.
    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Integer(left), Self::Float(right)) => compare_mixed(left, right),
            (Self::Float(left), Self::Integer(right)) => compare_mixed(right, left).map(Ordering::reverse),
        }
    }
}

fn compare_mixed(integer: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        None
    } else if float.abs() <= CONTIGUOUS {
        (integer as f64).partial_cmp(&float)
    } else {
        Some(integer.cmp(&(float as i128)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(integer: i128, float: f64) -> bool {
        Number::Integer(integer).compare(Number::Float(float)) == Some(Ordering::Equal)
            && Number::Float(float).compare(Number::Integer(integer)) == Some(Ordering::Equal)
    }

    #[test]
    fn the_reference_examples_of_whole_against_broken_numbers() {
        assert!(equal(3, 3.0));
        assert!(equal(9_007_199_254_740_992, 9_007_199_254_740_992.0));
        let unrepresentable = 9_007_199_254_740_993.0;
        assert!(equal(9_007_199_254_740_992, unrepresentable));
        assert!(!equal(9_007_199_254_740_992, 9_007_199_254_740_994.0));
    }

    #[test]
    fn a_float_far_beyond_every_whole_number_is_still_larger() {
        let largest = Number::Integer(u64::MAX.into());
        assert_eq!(largest.compare(Number::Float(1e300)), Some(Ordering::Less));
        assert_eq!(largest.compare(Number::Float(-1e300)), Some(Ordering::Greater));
    }
}
