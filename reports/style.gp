# What all pictures share. #010203 becomes the page's text colour in the SVG. NARROW is 1 for a
# phone.
set datafile separator comma
set datafile columnheaders
set datafile missing "nan"
INK = '#010203'
set border 3 lw 1 lc rgb '#8a8a8a'
set tics nomirror out textcolor rgb INK
set grid lc rgb '#8a8a8a' lw 0.4 dt 3
set xlabel textcolor rgb INK
set ylabel textcolor rgb INK
set cblabel textcolor rgb INK
set title textcolor rgb INK
set key textcolor rgb INK
set style textbox opaque noborder fillcolor rgb '#ffffff'
set format '%g'
# Okabe and Ito's palette.
ORANGE = '#E69F00'; SKY = '#56B4E9'; GREEN = '#009E73'; YELLOW = '#F0E442'
BLUE = '#0072B2'; RED = '#D55E00'; PINK = '#CC79A7'; GREY = '#999999'
SMALL = NARROW ? ',11' : ',13'
# Durations and dollars on log axes. D and S: seconds a unit of the axis.
DOLLARS = '("1 ct" 0.01, "10 ct" 0.1, "$1" 1, "$10" 10, "$100" 100, "$1,000" 1e3, "$10,000" 1e4, "$100,000" 1e5)'
SECONDS = '("1 µs" 1e-6, "10 µs" 1e-5, "0.1 ms" 1e-4, "1 ms" 1e-3, "10 ms" 0.01, "0.1 s" 0.1, "1 s" 1, "10 s" 10, "100 s" 100, "17 min" 1e3, "2.8 h" 1e4, "28 h" 1e5, "12 days" 1e6, "116 days" 1e7)'
HOURS = '("4 s" 1e-3, "36 s" 0.01, "6 min" 0.1, "1 h" 1, "10 h" 10, "4 days" 100, "6 weeks" 1e3, "14 months" 1e4)'
BYTES = '("1" 1, "16" 16, "64" 64, "256" 256, "1 KiB" 1024, "4 KiB" 4096, "16 KiB" 16384, "64 KiB" 65536, "256 KiB" 262144)'
