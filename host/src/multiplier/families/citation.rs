//! The papers that designs are from, each once: for the documentation and for users alike.

/// The citation called so: authors, title, where and when it appeared.
macro_rules! citation {
    (baugh_wooley) => {
        "Baugh and Wooley, \"A Two's Complement Parallel Array Multiplication Algorithm\", IEEE Transactions on \
         Computers C-22(12), 1973"
    };
    (wallace) => {
        "Wallace, \"A Suggestion for a Fast Multiplier\", IEEE Transactions on Electronic Computers EC-13(1), 1964"
    };
    (dadda) => {
        "Dadda, \"Some Schemes for Parallel Multipliers\", Alta Frequenza 34, 1965"
    };
    (macsorley) => {
        "MacSorley, \"High-Speed Arithmetic in Binary Computers\", Proceedings of the IRE 49(1), 1961, after Booth, \
         \"A Signed Binary Multiplication Technique\", Quarterly Journal of Mechanics and Applied Mathematics 4(2), \
         1951"
    };
    (kogge_stone) => {
        "Kogge and Stone, \"A Parallel Algorithm for the Efficient Solution of a General Class of Recurrence \
         Equations\", IEEE Transactions on Computers C-22(8), 1973"
    };
    (schulte) => {
        "Schulte and Swartzlander, \"Truncated Multiplication with Correction Constant\", VLSI Signal Processing \
         VI, 1993"
    };
    (king) => {
        "King and Swartzlander, \"Data-Dependent Truncation Scheme for Parallel Multipliers\", 31st Asilomar \
         Conference on Signals, Systems and Computers, 1997"
    };
    (mahdiani) => {
        "Mahdiani, Ahmadi, Fakhraie and Lucas, \"Bio-Inspired Imprecise Computational Blocks for Efficient VLSI \
         Implementation of Soft-Computing Applications\", IEEE Transactions on Circuits and Systems I 57(4), 2010"
    };
    (alwann) => {
        "Mrazek, Vasicek, Sekanina, Hanif and Shafique, \"ALWANN: Automatic Layer-Wise Approximation of Deep Neural \
         Network Accelerators without Retraining\", ICCAD 2019"
    };
    (miyashita) => {
        "Miyashita, Lee and Murmann, \"Convolutional Neural Networks using Logarithmic Data Representation\", arXiv \
         1603.01025, 2016"
    };
    (kulkarni) => {
        "Kulkarni, Gupta and Ercegovac, \"Trading Accuracy for Power with an Underdesigned Multiplier \
         Architecture\", VLSI Design 2011"
    };
    (momeni) => {
        "Momeni, Han, Montuschi and Lombardi, \"Design and Analysis of Approximate Compressors for \
         Multiplication\", IEEE Transactions on Computers 64(4), 2015"
    };
    (venkatachalam) => {
        "Venkatachalam and Ko, \"Design of Power and Area Efficient Approximate Multipliers\", IEEE Transactions on \
         VLSI Systems 25(5), 2017"
    };
    (yang) => {
        "Yang, Han and Lombardi, \"Approximate Compressors for Error-Resilient Multiplier Design\", DFTS 2015"
    };
    (mitchell) => {
        "Mitchell, \"Computer Multiplication and Division Using Binary Logarithms\", IRE Transactions on Electronic \
         Computers EC-11(4), 1962"
    };
    (hashemi) => {
        "Hashemi, Bahar and Reda, \"DRUM: A Dynamic Range Unbiased Multiplier for Approximate Applications\", ICCAD \
         2015"
    };
    (miller) => {
        "Miller and Thomson, \"Cartesian Genetic Programming\", EuroGP 2000"
    };
    (vasicek) => {
        "Vasicek and Sekanina, \"Evolutionary Approach to Approximate Digital Circuits Design\", IEEE Transactions on \
         Evolutionary Computation 19(3), 2015"
    };
}

pub(super) use citation;
