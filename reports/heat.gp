# FILE.csv: x,y,xlo,xhi,ylo,yhi,usd; FILE-contour.csv: level,x,y, blank lines between
set logscale xy
set logscale cb
set xlabel 'job time, s (log)'
set ylabel YLABEL
set cblabel 'USD per million jobs (log)'
set palette defined (0 '#fff7e0', 0.35 '#E69F00', 0.7 '#0072B2', 1 '#00263c')
set key off
unset grid
set xrange [XLO:XHI]
set yrange [YLO:YHI]
plot FILE.'.csv' using 1:2:3:4:5:6:7 with boxxy fs solid noborder lc palette, \
     FILE.'-contour.csv' using 2:($1 == 1 ? NaN : $3) with lines lw 1 lc rgb '#ffffff', \
     '' using 2:($1 == 1 ? $3 : NaN) with lines lw 4 lc rgb RED, \
     FILE.'-labels.csv' using 2:3:4 with labels boxed font ',12' textcolor rgb '#111111'
