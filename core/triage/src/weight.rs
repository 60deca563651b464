//! Weight of evidence: how much a figure speaks for a class, or against it.

use crate::class::Class;
use crate::evidence::Measure;

/// What one figure says of one class.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weight {
    pub(crate) class: Class,
    /// Positive for, negative against; a natural logarithm of odds before calibration.
    pub(crate) nats: f64,
    pub(crate) measure: Measure,
    pub(crate) says: String,
}

/// All weights of a subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Weights(Vec<Weight>);

impl Weights {
    /// Less than this says nothing.
    const LEAST: f64 = 0.02;

    /// Lays a figure into the scale of a class.
    pub(crate) fn lay(&mut self, class: Class, nats: f64, measure: Measure, says: String) {
        if nats.is_finite() && nats.abs() >= Self::LEAST {
            self.0.push(Weight { class, nats, measure, says });
        }
    }

    /// What they come to for a class.
    pub(crate) fn sum(&self, class: Class) -> f64 {
        self.of(class).map(|weight| weight.nats).sum()
    }

    /// Those of a class.
    pub(crate) fn of(&self, class: Class) -> impl Iterator<Item = &Weight> {
        self.0.iter().filter(move |weight| weight.class == class)
    }
}
