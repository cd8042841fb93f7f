//! AES-256 in one body of code.

use aes_gcm_siv::aes::{
    Aes256,
    cipher::{
        Block, BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, Key,
        KeyInit, KeySizeUser, ParBlocks, ParBlocksSizeUser,
    },
};

/// AES-256 for processors without instructions for it. Its software has a body of code for one block, in words of 16
/// bits on a processor of 32, and another for as many as fit in whole words. Here one block is encrypted as those are,
/// at no cost, and the other body is not linked.
pub(super) struct WideAes256(Aes256);

impl KeySizeUser for WideAes256 {
    type KeySize = <Aes256 as KeySizeUser>::KeySize;
}

impl KeyInit for WideAes256 {
    fn new(key: &Key<Self>) -> Self {
        Self(Aes256::new(key))
    }
}

impl BlockSizeUser for WideAes256 {
    type BlockSize = <Aes256 as BlockSizeUser>::BlockSize;
}

impl BlockCipherEncrypt for WideAes256 {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = Self::BlockSize>) {
        self.0.encrypt_with_backend(Widen(f));
    }
}

/// What runs with a back end, run with a [`Wide`] one.
struct Widen<F>(F);

impl<F: BlockSizeUser> BlockSizeUser for Widen<F> {
    type BlockSize = F::BlockSize;
}

impl<F: BlockCipherEncClosure> BlockCipherEncClosure for Widen<F> {
    fn call<B: BlockCipherEncBackend<BlockSize = Self::BlockSize>>(self, backend: &B) {
        self.0.call(&Wide(backend));
    }
}

/// A back end that encrypts one block as several.
struct Wide<'a, B>(&'a B);

impl<B: BlockSizeUser> BlockSizeUser for Wide<'_, B> {
    type BlockSize = B::BlockSize;
}

impl<B: ParBlocksSizeUser> ParBlocksSizeUser for Wide<'_, B> {
    type ParBlocksSize = B::ParBlocksSize;
}

impl<B: BlockCipherEncBackend> BlockCipherEncBackend for Wide<'_, B> {
    fn encrypt_block(&self, mut block: InOut<'_, '_, Block<Self>>) {
        let mut blocks = ParBlocks::<B>::default();
        if let Some(first) = blocks.first_mut() {
            *first = block.clone_in();
        }
        encrypt(self.0, &mut blocks);
        if let Some(first) = blocks.first() {
            *block.get_out() = first.clone();
        }
    }

    fn encrypt_par_blocks(&self, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
        let mut several = blocks.clone_in();
        encrypt(self.0, &mut several);
        *blocks.get_out() = several;
    }
}

// Out of line: each inlined copy is more than a kilobyte.
#[inline(never)]
fn encrypt<B: BlockCipherEncBackend>(backend: &B, blocks: &mut ParBlocks<B>) {
    backend.encrypt_par_blocks(blocks.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_encrypts_as_the_other_does_one_block_and_many() {
        let key = core::array::from_fn::<u8, 32, _>(|at| u8::try_from(at * 7).unwrap());
        let (wide, plain) = (WideAes256::new(&key.into()), Aes256::new(&key.into()));
        for count in 1..40 {
            let block = |at: usize| Block::<Aes256>::from([u8::try_from(at).unwrap(); 16]);
            let mut ours: std::vec::Vec<_> = (0..count).map(block).collect();
            let mut theirs = ours.clone();
            wide.encrypt_blocks(&mut ours);
            plain.encrypt_blocks(&mut theirs);
            assert_eq!(ours, theirs);
            wide.encrypt_block(&mut ours[0]);
            plain.encrypt_block(&mut theirs[0]);
            assert_eq!(ours, theirs);
        }
    }
}
