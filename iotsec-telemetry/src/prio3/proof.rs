//! The proof that a measurement is one (VDAF §7.3): fully linear, of one gadget.
//!
//! Every circuit here is a sum of products over pairs of wires:
//!
//! | measurement | pairs | wires of one call |
//! |---|---|---|
//! | Count | 1 | x, x |
//! | Sum | 1 | x, x - 1, the second without a seed of its own: it is the first, less one |
//! | Histogram | chunk | r^(k+1) x, x - 1, with r the joint randomness of the call |

use zeroize::Zeroizing;

use super::{
    circuit::Circuit,
    error::Prio3Error,
    field::{Factor, Field},
    output::Output,
    polynomial::{halfway_factor, move_halfway},
    xof::Stream,
};

/// Proves, with wire polynomials of up to `P` points and joint randomness for up to `J` calls, and writes the
/// leader's share: the proof without what `helper` gives the other aggregator.
#[inline(never)]
pub(crate) fn prove<F: Field, const P: usize, const J: usize>(
    circuit: &Circuit,
    mut joint: Option<Stream>,
    mut random: Stream,
    mut helper: Stream,
    out: &mut Output<'_>,
) -> Result<(), Prio3Error> {
    let points = circuit.points();
    let zeros = || Zeroizing::new([F::ZERO; P]);
    let (mut left, mut right, mut roots, mut halfway) = (zeros(), zeros(), zeros(), zeros());
    let left = left.get_mut(..points).ok_or(Prio3Error::Parameters)?;
    let right = right.get_mut(..points).ok_or(Prio3Error::Parameters)?;
    let mut joint_rand = Zeroizing::new([F::HALF; J]);
    let mut powers = Zeroizing::new([F::HALF; J]);
    if let Some(joint) = &mut joint {
        for (rand, power) in joint_rand.iter_mut().zip(powers.iter_mut()).take(circuit.calls()) {
            *rand = joint.draw::<F>().factor_by(&F::TO_FACTOR);
            *power = *rand;
        }
    }
    let scale = halfway_factor::<F>(points);

    for pair in 0..circuit.chunk() {
        left.fill(F::ZERO);
        right.fill(F::ZERO);
        if let ([left_seed, left @ ..], [right_seed, right @ ..]) = (&mut *left, &mut *right) {
            // The first point of a wire polynomial is random, and goes into the proof.
            for seed in [left_seed, right_seed].into_iter().take(circuit.seeds()) {
                *seed = random.draw();
                put_share(seed, &mut helper, out)?;
            }
            let mut powers = powers.iter();
            for (call, (left, right)) in (0..circuit.calls()).zip(left.iter_mut().zip(right)) {
                *left = F::bit(circuit.bit(call, pair));
                *right = *left;
                if let Some(power) = powers.next() {
                    right.subtract(&F::ONE);
                    left.multiply(power);
                }
            }
        }
        if circuit.seeds() == 1 {
            for (right, left) in right.iter_mut().zip(left.iter()) {
                *right = *left;
                right.subtract(&F::ONE);
            }
        }
        add_products(&mut *roots, left, right, &F::TO_FACTOR);
        move_halfway(left);
        move_halfway(right);
        add_products(&mut *halfway, left, right, &scale);
        for (power, rand) in powers.iter_mut().zip(joint_rand.iter()) {
            power.multiply(rand);
        }
    }

    // The gadget polynomial at the roots of order 2n; its degree is 2n - 2, so the last value follows from the
    // others and is not sent.
    let mut left = circuit.points();
    for (root, halfway) in roots.iter().zip(halfway.iter()).take(points) {
        put_share(root, &mut helper, out)?;
        left = left.saturating_sub(1);
        if left > 0 {
            put_share(halfway, &mut helper, out)?;
        }
    }
    Ok(())
}

/// Writes what the helper's next draw leaves of an element.
#[inline(never)]
fn put_share<F: Field>(element: &F, helper: &mut Stream, out: &mut Output<'_>) -> Result<(), Prio3Error> {
    let mut share = *element;
    share.subtract(&helper.draw());
    out.put(&share)
}

/// Adds the products of two lists; `factor` makes factors of the second.
#[inline(never)]
fn add_products<F: Field>(sums: &mut [F], left: &[F], right: &[F], factor: &Factor<F>) {
    for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
        let mut product = *left;
        product.multiply(&right.factor_by(factor));
        sum.add(&product);
    }
}
