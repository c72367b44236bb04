import Glibc

extension Double {
    /// The natural logarithm.
    var logarithm: Double { Glibc.log(self) }
    /// The logarithm to base 10.
    var decimalLogarithm: Double { Glibc.log10(self) }
}
