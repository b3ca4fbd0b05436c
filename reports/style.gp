# What all pictures share. #010203 becomes the page's text colour in the SVG.
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
